/** What changed between two values.yaml, path by path. */

export interface ValueChange {
  /** As `--set` takes it: `image.tag`, `hosts[0].name`. */
  readonly path: string;
  /** Undefined: not there. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The first ones are enough to see that nearly all changed. */
export const MAX_CHANGES = 2_000;

export function compareValues(before: unknown, after: unknown): ValueChange[] {
  const changes: ValueChange[] = [];
  compare('', before ?? {}, after ?? {}, changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: ValueChange[]): void {
  if (changes.length >= MAX_CHANGES || before === after) return;
  const [left, right] = [partsOf(before), partsOf(after)];
  if (!left || !right || Array.isArray(before) !== Array.isArray(after)) {
    changes.push({ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) });
    return;
  }
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    compare(Array.isArray(before) ? `${path}[${key}]` : join(path, key), left.get(key), right.get(key), changes);
  }
}

/** Undefined for what has no parts. */
function partsOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

function join(path: string, key: string): string {
  const escaped = key.replaceAll(/[.,=[\]\\]/g, String.raw`\$&`);
  return path === '' ? escaped : `${path}.${escaped}`;
}
