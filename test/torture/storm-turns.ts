/** Windows of a storm in which garbage collection runs and in which it does not, in turns. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Query } from './owners.ts';
import { until } from './storm-account.ts';
import { collected, type Collected, type Collector } from './storm-collector.ts';
import type { Latencies, Mode } from './storm-latency.ts';

export interface TurnsOptions {
  readonly query: Query;
  readonly collector: Collector;
  readonly latencies: Latencies;
  /** Of measuring in each window; checkpoints come on top. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** So that neither always follows the other. A window after one of the other kind collects what that one has left. */
const ORDER: readonly Mode[] = ['on', 'off', 'off', 'on'];
/** Before a window, once collection works or stands still. */
const GUARD_MS = 3_000;
/** After a window, for the requests that are under way still. */
const TAIL_MS = 1_000;
const TICK_MS = 100;
/** In a storm that began just now there is nothing to collect yet. */
const PATIENCE_MS = 30_000;

/** Takes turns until `signal` is aborted; afterwards collection runs. */
export async function takeTurns({ query, collector, latencies, seconds, signal }: TurnsOptions): Promise<void> {
  const standstill = new Standstill(query, collector);
  try {
    for (let turn = 0; !signal.aborted; turn++) {
      const mode = ORDER[turn % ORDER.length] as Mode;
      if (mode === 'off') await standstill.begin();
      else {
        await standstill.end();
        await untilCollecting(query, signal);
      }
      await wait(GUARD_MS, signal);
      const before = await collected(query);
      const samples = latencies.open();
      for (let left = seconds * 1_000; left > 0 && !signal.aborted;) {
        const counts = latencies.measuring;
        const from = performance.now();
        await wait(TICK_MS, signal);
        if (counts) left -= performance.now() - from;
      }
      latencies.close();
      await wait(TAIL_MS, signal);
      if (signal.aborted) return;
      latencies.keep(mode, samples, difference(before, await collected(query)));
    }
  } finally {
    latencies.close();
    await standstill.end();
  }
}

/** Nobody collects, and no bytes leave the store: not the storm's collector, and not the schedule of the hub. */
class Standstill {
  readonly #query: Query;
  readonly #collector: Collector;
  #id: string | undefined;

  constructor(query: Query, collector: Collector) {
    this.#query = query;
    this.#collector = collector;
  }

  /** Resolves when what was under way has ended. */
  async begin(): Promise<void> {
    if (this.#id !== undefined) return;
    const id = randomUUID();
    this.#id = id;
    this.#collector.pause();
    await this.#query(
      `insert into gc_holds (owner_kind, owner_id, reason, expires_at) values ('storm', $1, 'off', now() + interval '1 day')`,
      [id],
    );
    // As another process would collect, that is never away for long enough.
    const claim = `update gc_state set runner = $1, runner_seen = now() + interval '1 day' where runner is null returning 1`;
    await until(async () => (await this.#query(claim, [id])).length > 0, 'the right to collect', 180);
    await this.#collector.idle(this.#query);
  }

  async end(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    await this.#query('update gc_state set runner = null, runner_seen = null where runner = $1', [id]);
    await this.#query('delete from gc_holds where owner_id = $1', [id]);
    this.#collector.resume();
  }
}

async function untilCollecting(query: Query, signal: AbortSignal): Promise<void> {
  const sum = async (): Promise<number> => Object.values(await collected(query)).reduce((a, b) => a + b, 0);
  const before = await sum();
  const deadline = performance.now() + PATIENCE_MS;
  while (!signal.aborted && performance.now() < deadline && (await sum()) === before) await wait(TICK_MS, signal);
}

function difference(before: Collected, after: Collected): Collected {
  const entries = (Object.keys(after) as (keyof Collected)[]).map((name) => [name, after[name] - before[name]]);
  return Object.fromEntries(entries) as Collected;
}

/** Shorter when `signal` is aborted. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
