/**
 * Whether what clients saw of one register could have happened one operation at a time (Gibbons and Korach, "Testing
 * shared memories", 1997): with values that are written once each, every value's operations span a zone, and a history is
 * linearizable if and only if no two forward zones overlap and no backward zone lies inside a forward one.
 */
export interface Operation {
  readonly kind: 'write' | 'read';
  readonly value: string;
  readonly invoked: number;
  readonly answered: number;
}

interface Zone {
  readonly value: string;
  readonly start: number;
  readonly end: number;
  readonly forward: boolean;
}

/** Undefined when the history is linearizable, else why not. */
export function violation(history: readonly Operation[]): string | undefined {
  const groups = Map.groupBy(history, (operation) => operation.value);
  const zones: Zone[] = [];
  for (const [value, operations] of groups) {
    const write = operations.find((operation) => operation.kind === 'write');
    if (!write) return `${value} was read and never written`;
    const early = operations.find((operation) => operation.answered < write.invoked);
    if (early) return `${value} was read before it was written`;
    const firstAnswer = Math.min(...operations.map((operation) => operation.answered));
    const lastCall = Math.max(...operations.map((operation) => operation.invoked));
    const forward = firstAnswer < lastCall;
    zones.push({ value, forward, start: Math.min(firstAnswer, lastCall), end: Math.max(firstAnswer, lastCall) });
  }
  const forwards = zones.filter((zone) => zone.forward).toSorted((one, other) => one.start - other.start);
  for (const [at, zone] of forwards.entries()) {
    const next = forwards[at + 1];
    if (next && next.start < zone.end) return `${zone.value} and ${next.value} both were current for some time`;
  }
  for (const zone of zones.filter((one) => !one.forward)) {
    const around = forwards.find((one) => one.start < zone.start && zone.end < one.end);
    if (around) return `${zone.value} was written while ${around.value} was current before and after`;
  }
  return undefined;
}
