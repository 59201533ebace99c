/** Times that are promised, judged where the machine can keep them. */
import { availableParallelism, loadavg } from 'node:os';
import { expect } from 'vitest';

/** Prints how long something took; asserts the limit unless other work keeps the machine busy. */
export function expectWithin(what: string, ms: number, limitMs: number): void {
  const load = loadavg()[0]!;
  const busy = load > availableParallelism() * 1.5;
  const judged = busy ? `; not judged, since the machine is busy (load ${load.toFixed(1)})` : '';
  console.log(`${what}: ${Math.round(ms)} ms (limit ${limitMs} ms${judged})`);
  if (!busy) expect(ms).toBeLessThan(limitMs);
}
