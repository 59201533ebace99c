/** Runs an operation on several connections, each sending its next request when the last one is answered, and measures. */
import type { Connection } from '../wire/connection.ts';
import { cpuSeconds } from '../measure/process-tree.ts';
import type { RoundResult } from './protocol.ts';

export type Operation = (connection: Connection, lane: number) => Promise<void>;

export type Extent =
  /** What completes between two moments, after a warm-up; bytes are those received between them. */
  | { readonly kind: 'window'; readonly seconds: number }
  /** So many operations from the first byte of the first to the last byte of the last; nothing is cut off. */
  | { readonly kind: 'count'; readonly operations: number }
  /** Operations start for so long, and all of them count. */
  | { readonly kind: 'whole'; readonly seconds: number };

const WARM_UP_SECONDS = 0.5;

/** @param pids whose CPU time is charged to the result */
export async function measure(
  connections: readonly Connection[],
  operation: Operation,
  extent: Extent,
  pids: readonly number[],
): Promise<RoundResult> {
  await Promise.all(connections.map((connection) => connection.open()));
  const latencies: number[] = [];
  let stop = false;
  let measuring = extent.kind !== 'window';
  let started = 0;
  const lane = async (connection: Connection, index: number): Promise<void> => {
    while (!stop && !(extent.kind === 'count' && started >= extent.operations)) {
      started += 1;
      const begin = performance.now();
      await operation(connection, index);
      if (measuring) latencies.push(performance.now() - begin);
    }
  };
  const all = async (): Promise<unknown> => Promise.all(connections.map(lane));

  if (extent.kind === 'window') {
    const running = all();
    const [before, after] = await Promise.race([
      window(connections, extent.seconds, pids, (on) => (measuring = on)),
      running.then(() => Promise.reject(new Error('All connections stopped'))),
    ]);
    stop = true;
    const operations = latencies.length;
    await running;
    return result(before, after, operations, latencies);
  }
  const before = reading(connections, pids);
  if (extent.kind === 'whole') setTimeout(() => (stop = true), extent.seconds * 1000);
  await all();
  return result(before, reading(connections, pids), latencies.length, latencies);
}

interface Reading {
  readonly at: number;
  readonly server: number;
  readonly generator: number;
  readonly received: number;
}

function reading(connections: readonly Connection[], pids: readonly number[]): Reading {
  const { user, system } = process.cpuUsage();
  return {
    server: cpuSeconds(pids),
    generator: (user + system) / 1e6,
    received: connections.reduce((sum, { received }) => sum + received, 0),
    at: performance.now(),
  };
}

async function window(
  connections: readonly Connection[],
  seconds: number,
  pids: readonly number[],
  measuring: (on: boolean) => void,
): Promise<[Reading, Reading]> {
  await sleep(WARM_UP_SECONDS);
  const before = reading(connections, pids);
  measuring(true);
  await sleep(seconds);
  measuring(false);
  return [before, reading(connections, pids)];
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function result(before: Reading, after: Reading, operations: number, latencies: number[]): RoundResult {
  const sorted = Float64Array.from(latencies).sort();
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return {
    operations,
    seconds: (after.at - before.at) / 1000,
    bytes: after.received - before.received,
    p50: quantile(0.5),
    p99: quantile(0.99),
    serverCpuSeconds: after.server - before.server,
    generatorCpuSeconds: after.generator - before.generator,
  };
}
