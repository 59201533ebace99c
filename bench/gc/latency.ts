/** Pushes and pulls while a hub collects and while it does not, in turns, on one hub with one set of data. */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { settle } from '../measure/machine.ts';
import { startBerth } from '../sides/berth.ts';
import { Backlog } from './backlog.ts';
import { Load, OPERATIONS, type Latencies, type Operation } from './load.ts';
import { median, quantiles, type Quantiles } from './quantiles.ts';

export interface LatencyOptions {
  readonly blobs: number;
  readonly garbage: number;
  /** Pairs of windows, one of each kind. */
  readonly rounds: number;
  readonly seconds: number;
  /** Part of the rate that the machine can do at most. */
  readonly utilisation: number;
  readonly folder: string;
}

type Mode = 'idle' | 'busy';
type Window = Readonly<Record<Operation, Quantiles>>;

const MOST = 1.3;
const WARM_UP_SECONDS = 5;
const FEED_MS = 500;

/** @returns what was missed, in sentences */
export async function latency(options: LatencyOptions): Promise<string[]> {
  const { rounds, seconds } = options;
  const folder = await mkdtemp(path.join(options.folder, 'berth-gc-'));
  const side = await startBerth(folder, { BERTH_GC_DELAY: '0s', BERTH_GC_BYTES_DELAY: '0s', BERTH_WORKERS: '2' });
  const load = new Load(side.target);
  let backlog: Backlog | undefined;
  try {
    const dataDir = path.join(folder, 'berth');
    const url = await findEmbeddedPostgres(path.join(dataDir, 'postgres'));
    if (url === undefined) throw new Error('The hub has no Postgres');
    backlog = await Backlog.make(url, dataDir, options.blobs, options.garbage);
    await load.seed();
    await backlog.drain();
    settle(folder);
    const most = rate(await load.run(WARM_UP_SECONDS), WARM_UP_SECONDS);
    const wanted = most * options.utilisation;
    console.log(`${most.toFixed(0)} pushes and pulls a second at most; ${wanted.toFixed(0)} of each from here on`);
    const windows: Record<Mode, Window[]> = { idle: [], busy: [] };
    const problems: string[] = [];
    for (let round = 0; round < rounds; round++) {
      // The other way round every second time, so that neither always follows the other.
      const order: Mode[] = round % 2 === 0 ? ['idle', 'busy'] : ['busy', 'idle'];
      for (const mode of order) {
        await backlog.drain();
        settle(folder);
        const from = await backlog.collected();
        const feeding = mode === 'busy' ? feed(backlog) : undefined;
        const latencies = await load.run(seconds, wanted);
        if (feeding && backlog.left === 0)
          problems.push('The backlog was over before its window was; use a larger one');
        await feeding?.stop();
        const collected = (await backlog.collected()) - from;
        if (mode === 'idle' && collected > 0) problems.push(`${collected} contents were collected in an idle window`);
        const window = { push: quantiles(latencies.push), pull: quantiles(latencies.pull) };
        windows[mode].push(window);
        console.log(`${mode}: ${sentence(window)}; ${Math.round(collected / seconds)} contents collected a second`);
      }
    }
    return [...problems, ...judge(windows)];
  } finally {
    load.close();
    await backlog?.close();
    await side.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The slower of the two operations decides. */
function rate(latencies: Latencies, seconds: number): number {
  return Math.min(...OPERATIONS.map((name) => latencies[name].length)) / seconds;
}

function feed(backlog: Backlog): { stop(): Promise<void> } {
  let over = false;
  const work = (async () => {
    while (!over) {
      await backlog.feed();
      await new Promise((resolve) => setTimeout(resolve, FEED_MS));
    }
  })();
  return {
    async stop() {
      over = true;
      await work;
    },
  };
}

function judge(windows: Readonly<Record<Mode, readonly Window[]>>): string[] {
  const problems: string[] = [];
  for (const name of OPERATIONS) {
    for (const quantile of ['p50', 'p99'] as const) {
      const of = (mode: Mode): number => median(windows[mode].map((window) => window[name][quantile]));
      const ratio = of('busy') / of('idle');
      console.log(
        `${name} ${quantile}: ${of('idle').toFixed(2)} ms idle, ${of('busy').toFixed(2)} ms while collecting: ${ratio.toFixed(2)} ×`,
      );
      if (quantile === 'p99' && ratio > MOST)
        problems.push(`${name} p99 is ${ratio.toFixed(2)} ×, more than ${MOST} ×`);
    }
  }
  return problems;
}

function sentence(window: Window): string {
  return OPERATIONS.map((name) => {
    const { count, p50, p99 } = window[name];
    return `${count} × ${name} p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
  }).join(', ');
}
