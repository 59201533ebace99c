/** Garbage collection as the storm drives it over the API: all the time, and step by step once everything is quiet. */
import { setTimeout as delay } from 'node:timers/promises';
import { basic, expectStatus, send, type Answer, type Credentials } from '../harness/oci-client.ts';
import { until } from './storm-account.ts';
import type { Query } from './owners.ts';
import type { Tally } from './storm-session.ts';

export const COUNTS = [
  'manifests',
  'orphans',
  'links',
  'blobs',
  'bytes',
  'uploads',
  'objects',
  'object_bytes',
] as const;

/** What runs report, added up, and what a dry run predicts. */
export type Collected = Readonly<Record<(typeof COUNTS)[number], number>>;

export interface CollectorOptions {
  readonly origin: string;
  readonly credentials: Credentials;
  readonly tally: Tally;
  /** Whether the hub may be away now and then. */
  readonly mayFail: boolean;
}

const EVERY_MS = 500;
/** A run, and the sweep of what it killed. */
const JOBS = ['collect-garbage', 'sweep-dead-objects'];

/** Everything that a collector has to do still, now or when its clocks have run. */
const LEFT = `
  select 'manifest ' || id || ' in the trash' as what from manifests where deleted_at is not null
  union all select 'review of link ' || repository_id || '/' || blob_id from link_reviews
  union all select 'review of blob ' || blob_id from blob_reviews
  union all select 'review of subject ' || encode(digest, 'hex') from subject_reviews
  union all select 'dead object ' || key from dead_objects`;

export class Collector {
  readonly #options: CollectorOptions;
  #running: Promise<void> | undefined;
  #stopping = false;
  #paused = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Has the hub collect without a break. */
  start(): void {
    this.#running = this.#forever();
  }

  /** Asks for no more runs; those that it has asked for may be under way. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  /**
   * With nobody else about: lets all clocks run, asks what would go, collects, and compares, until nothing is left.
   * @param waits seconds until everything is due, before the first round and before each of the others
   */
  async untilNothingIsLeft(query: Query, waits: { readonly first: number; readonly others: number }): Promise<void> {
    const { tally } = this.#options;
    await delay(waits.first * 1_000);
    for (let round = 1; ; round++) {
      await delay(waits.others * 1_000);
      await this.idle(query);
      const minute = await middleOfMinute();
      const predicted = expectStatus(await this.#ask('/gc/preview'), 200).json<Collected>();
      const before = await collected(query);
      expectStatus(await this.#ask('/gc/run'), 204);
      await this.idle(query);
      const after = await collected(query);
      const wrong = COUNTS.filter((name) => after[name] - before[name] !== predicted[name]);
      const sentence = wrong.map((name) => `${after[name] - before[name]} ${name}, not ${predicted[name]}`).join(', ');
      tally.count('dry runs compared');
      // The hub's own schedule may have come in between.
      if (minute === minuteOf() && wrong.length > 0)
        tally.complain('account does not balance', `round ${round} collected ${sentence}`);
      const left = await query<{ what: string }>(`${LEFT} limit 20`);
      if (left.length === 0) return;
      if (round < 12) continue;
      const what = left.map((row) => row.what).join(', ');
      return tally.complain('account does not balance', `after ${round} rounds there is still ${what}`);
    }
  }

  /** Until no run is under way and none waits for a worker. */
  idle(query: Query): Promise<void> {
    const busy = `select 1 from graphile_worker.jobs where task_identifier = any ($1) and run_at <= now() limit 1`;
    // A job of a worker that was killed is taken over after a minute.
    return until(async () => (await query(busy, [JOBS])).length === 0, 'the collector to be idle', 180);
  }

  async #forever(): Promise<void> {
    const { tally, mayFail } = this.#options;
    for (; !this.#stopping; await delay(EVERY_MS)) {
      if (this.#paused) continue;
      try {
        const { status, body } = await this.#ask('/gc/run');
        if (status !== 204 && !mayFail)
          tally.complain(
            status >= 500 ? 'error of the server' : 'wrong answer',
            `POST /gc/run: ${status} ${body.toString()}`,
          );
        tally.count('collections asked for');
      } catch (error) {
        if (!mayFail) tally.complain('error of the server', `POST /gc/run: ${(error as Error).message}`);
      }
    }
  }

  #ask(path: string): Promise<Answer> {
    const { origin, credentials } = this.#options;
    return send(origin, { method: 'POST', path: `/api/v1${path}`, headers: { Authorization: basic(credentials) } });
  }
}

export async function collected(query: Query): Promise<Collected> {
  const sums = COUNTS.map((name) => `coalesce(sum(${name}), 0)::float8 as ${name}`);
  const [row] = await query<Collected>(`select ${sums.join(', ')} from gc_runs`);
  return row as Collected;
}

/** The hub collects by itself when a minute begins: not then. */
async function middleOfMinute(): Promise<number> {
  const second = (Date.now() / 1_000) % 60;
  if (second < 3) await delay((3 - second) * 1_000);
  if (second > 45) await delay((63 - second) * 1_000);
  return minuteOf();
}

function minuteOf(): number {
  return Math.floor(Date.now() / 60_000);
}
