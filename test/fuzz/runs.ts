/**
 * How long to search, and from where: BERTH_FUZZ_RUNS inputs per property, a tenth of them (or BERTH_FUZZ_HTTP_RUNS) when each
 * is a request; BERTH_FUZZ_SEED to see the same ones again.
 */
import type { Parameters } from 'fast-check';

export const RUNS = Number(process.env['BERTH_FUZZ_RUNS'] ?? 2_000);
export const HTTP_RUNS = Number(process.env['BERTH_FUZZ_HTTP_RUNS'] ?? Math.ceil(RUNS / 10));
const seed = process.env['BERTH_FUZZ_SEED'];

/** fast-check prints seed and path of what it finds, made as small as it can be. */
export const SEARCH: Parameters<unknown> = { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) };

export const HTTP_SEARCH: Parameters<unknown> = { ...SEARCH, numRuns: HTTP_RUNS };

/** For vitest: long campaigns may take long. */
export function timeout(perInput: number, runs = RUNS): number {
  return 30_000 + runs * perInput;
}
