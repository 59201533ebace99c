/** From rounds to medians and ratios. */
import type { RoundResult } from '../load/protocol.ts';
import type { Workload } from '../load/workloads.ts';

export interface Round extends RoundResult {
  /** Load averages of one and five minutes before the round. */
  readonly load: readonly [number, number];
}

export interface SideRounds {
  readonly side: string;
  readonly rounds: readonly Round[];
  /** Peak proportional set size while the workload ran, in bytes; 0 when it was not sampled. */
  readonly peakMemory: number;
}

export interface WorkloadRounds {
  readonly id: string;
  readonly unit: Workload['unit'];
  /** The first one is compared with each of the others. */
  readonly sides: readonly SideRounds[];
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface SideSummary {
  readonly side: string;
  readonly rate: Spread;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds a request, or seconds a gigabyte. */
  readonly cpu: number;
  readonly peakMemory: number;
  readonly remark: string | undefined;
}

export interface Ratios {
  readonly peer: string;
  /** Own rate over the peer's, of the rounds that ran one after the other: above 1 is better. */
  readonly rate: Spread;
  /** The peer's CPU over own CPU for the same work: above 1 is better. */
  readonly cpu: number;
  /** Own memory over the peer's: below 1 is better. */
  readonly memory: number | undefined;
}

export interface WorkloadSummary {
  readonly id: string;
  readonly unit: Workload['unit'];
  readonly sides: readonly SideSummary[];
  readonly ratios: readonly Ratios[];
}

export function summarise({ id, unit, sides }: WorkloadRounds): WorkloadSummary {
  const summaries = sides.map(({ side, rounds, peakMemory }) => ({
    side,
    rate: spread(rounds.map((round) => rateOf(round, unit))),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    cpu: median(rounds.map((round) => cpuOf(round, unit))),
    peakMemory,
    remark: rounds.find(({ remark }) => remark !== undefined)?.remark,
  }));
  const [own, ...peers] = sides;
  const ratios = peers.map((peer, index): Ratios => {
    const theirs = summaries[index + 1]!;
    const ours = summaries[0]!;
    const pairs = own!.rounds.map((round, n) => rateOf(round, unit) / rateOf(peer.rounds[n]!, unit));
    return {
      peer: peer.side,
      rate: spread(pairs),
      cpu: theirs.cpu / ours.cpu,
      memory: theirs.peakMemory === 0 ? undefined : ours.peakMemory / theirs.peakMemory,
    };
  });
  return { id, unit, sides: summaries, ratios };
}

function rateOf(round: RoundResult, unit: Workload['unit']): number {
  return (unit === 'MB/s' ? round.bytes / 1e6 : round.operations) / round.seconds;
}

function cpuOf(round: RoundResult, unit: Workload['unit']): number {
  return unit === 'MB/s'
    ? round.serverCpuSeconds / (round.bytes / 1e9)
    : (round.serverCpuSeconds * 1e6) / round.operations;
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
