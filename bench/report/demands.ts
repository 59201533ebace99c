/** Ratios that are asked for, and whether a run reached them. */
import fs from 'node:fs';
import type { WorkloadSummary } from './summary.ts';

/** The shape of `targets.json` and `floors.json`. */
export interface Demands {
  /** The peer that they are about. */
  readonly peer: string;
  /** Least ratio of rates, by workload. */
  readonly rate: Readonly<Record<string, number>>;
  /** Largest ratio of peak memory over the whole run. */
  readonly memory: number;
}

export interface Verdict {
  readonly what: string;
  readonly asked: string;
  readonly measured: string;
  readonly met: boolean;
}

export function readDemands(file: string): Demands {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Demands;
}

/** Judges every demand that the run has measured; a demand on a workload that was left out is not judged. */
export function judge(
  demands: Demands,
  summaries: readonly WorkloadSummary[],
  memory: number | undefined,
): readonly Verdict[] {
  const verdicts: Verdict[] = [];
  for (const { id, ratios } of summaries) {
    const asked = demands.rate[id];
    const ratio = ratios.find(({ peer }) => peer === demands.peer)?.rate.median;
    if (asked === undefined || ratio === undefined) continue;
    verdicts.push({ what: id, asked: `≥ ${asked}×`, measured: `${ratio.toFixed(2)}×`, met: ratio >= asked });
  }
  if (memory !== undefined) {
    const met = memory <= demands.memory;
    verdicts.push({ what: 'peak memory', asked: `≤ ${demands.memory}×`, measured: `${memory.toFixed(2)}×`, met });
  }
  return verdicts;
}
