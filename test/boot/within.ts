/** Times that are promised, judged where the machine can keep them. */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

const LOOKS = 20;

/** Prints how long something took; asserts the limit unless other work keeps the machine busy. */
export async function expectWithin(what: string, ms: number, limitMs: number): Promise<void> {
  const late = ms >= limitMs;
  const others = late ? await busyWith() : undefined;
  const judged = others === undefined ? '' : `; not judged, since the machine is busy (${others})`;
  console.log(`${what}: ${Math.round(ms)} ms (limit ${limitMs} ms${judged})`);
  if (others === undefined) expect(ms).toBeLessThan(limitMs);
}

/**
 * What else is going on: over the last minute, or now, since an average is late to tell of what has just begun. The hub
 * itself has nothing to do when this looks.
 */
async function busyWith(): Promise<string | undefined> {
  const cores = availableParallelism();
  const load = loadavg()[0]!;
  if (load > cores * 1.5) return `load ${load.toFixed(1)}`;
  let runnable = 0;
  for (let look = 0; look < LOOKS; look++) {
    await sleep(50);
    // The fourth field: how many can run, this process among them.
    runnable += Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]!.split('/')[0]) - 1;
  }
  return runnable / LOOKS >= cores ? `${(runnable / LOOKS).toFixed(1)} other tasks want to run` : undefined;
}
