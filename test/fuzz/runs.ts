/** How long to search, and from where: BERTH_FUZZ_RUNS inputs per property, BERTH_FUZZ_SEED to see the same ones again. */
import type { Parameters } from 'fast-check';

export const RUNS = Number(process.env['BERTH_FUZZ_RUNS'] ?? 2_000);
const seed = process.env['BERTH_FUZZ_SEED'];

/** fast-check prints seed and path of what it finds, made as small as it can be. */
export const SEARCH: Parameters<unknown> = { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) };

/** For vitest: long campaigns may take long. */
export function timeout(perInput: number): number {
  return 20_000 + RUNS * perInput;
}
