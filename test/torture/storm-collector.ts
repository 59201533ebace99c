/** Garbage collection as the storm drives it: all the time, and what its runs report added up. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Query } from './owners.ts';
import type { Tally } from './storm-session.ts';

/** What runs report, added up. */
export interface Collected {
  readonly runs: number;
  readonly manifests: number;
  readonly orphans: number;
  readonly links: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly objects: number;
  readonly object_bytes: number;
}

export interface CollectorOptions {
  /** On a connection of its own, since Postgres may be killed under it. */
  inDatabase<T>(work: (query: Query) => Promise<T>): Promise<T>;
  readonly tally: Tally;
  /** Whether the hub may be away now and then. */
  readonly mayFail: boolean;
}

const EVERY_MS = 500;
/** What a run does, and the sweep of what it killed. */
const JOBS = ['collect-garbage', 'sweep-dead-objects'];

export class Collector {
  readonly #options: CollectorOptions;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Has the hub collect without a break. */
  start(): void {
    this.#stopping = false;
    this.#running = this.#forever();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#running = undefined;
  }

  collected(query: Query): Promise<Collected> {
    return collected(query);
  }

  /** Runs one after the other until nothing is due any more, and none works. */
  async untilNothingIsLeft(query: Query, seconds: number): Promise<void> {
    for (const deadline = performance.now() + seconds * 1_000; await anythingLeft(query); await delay(EVERY_MS)) {
      if (performance.now() > deadline) {
        const left = await query<{ what: string }>(LEFT);
        const what = left.slice(0, 10).map((row) => row.what);
        this.#options.tally.complain(
          'account does not balance',
          `after ${seconds} s there is still ${what.join(', ')}`,
        );
        return;
      }
      await start(query);
    }
  }

  async #forever(): Promise<void> {
    const { inDatabase, tally, mayFail } = this.#options;
    while (!this.#stopping) {
      try {
        await inDatabase(start);
      } catch (error) {
        if (!mayFail) tally.complain('error of the server', `collecting: ${(error as Error).message}`);
      }
      await delay(EVERY_MS);
    }
  }
}

async function start(query: Query): Promise<void> {
  for (const job of JOBS) await query('select graphile_worker.add_job($1, job_key => $2)', [job, `${job} storm`]);
}

/** Everything that a collector has to do still, now or when its clocks have run. */
const LEFT = `
  select 'manifest ' || id || ' in the trash' as what from manifests where deleted_at is not null
  union all select 'review of link ' || repository_id || '/' || blob_id from link_reviews
  union all select 'review of blob ' || blob_id from blob_reviews
  union all select 'review of subject ' || encode(digest, 'hex') from subject_reviews
  union all select 'dead object ' || key from dead_objects`;

async function anythingLeft(query: Query): Promise<boolean> {
  const rows = await query(`${LEFT} limit 1`);
  if (rows.length > 0) return true;
  const working = await query(
    `select 1 from graphile_worker.jobs where locked_by is not null and task_identifier = any ($1)`,
    [JOBS],
  );
  return working.length > 0;
}

async function collected(query: Query): Promise<Collected> {
  const [row] = await query<Record<keyof Collected, string>>(
    `select count(*) as runs, coalesce(sum(manifests), 0) as manifests, coalesce(sum(orphans), 0) as orphans,
            coalesce(sum(links), 0) as links, coalesce(sum(blobs), 0) as blobs, coalesce(sum(bytes), 0) as bytes,
            coalesce(sum(objects), 0) as objects, coalesce(sum(object_bytes), 0) as object_bytes from gc_runs`,
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]),
  ) as unknown as Collected;
}
