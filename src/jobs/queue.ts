/**
 * The job mechanism: graphile-worker behind two functions. Handlers live in their domain and are listed in `worker.ts`.
 *
 * A job is enqueued in the transaction that needs it and runs at least once, so handlers are idempotent.
 */
import { EventEmitter } from 'node:events';
import type { Runner, TaskList, WorkerEvents } from 'graphile-worker';
import sql from 'sql-template-tag';
import type { Database, Transaction } from '../db/database.ts';

export interface Job<Payload> {
  /** Stable: it is what the queue's rows say. */
  readonly name: string;
  run(payload: Payload): Promise<void>;
  /** cron expression in UTC; the payload is then empty. */
  readonly every?: string;
}

/** Adds a job. The transaction comes first, so that forgetting it is a type error. `key` merges equal jobs that wait. */
export async function enqueue(tx: Transaction, name: string, payload: object, key?: string): Promise<void> {
  await tx.query(sql`
    select graphile_worker.add_job(${name}, ${JSON.stringify(payload)}::json, job_key => ${key ?? null},
                                   job_key_mode => 'preserve_run_at')`);
}

const BEAT_MS = 5_000;
/** A process whose beat is older is gone; its jobs are unlocked, which the queue itself would do only after hours. */
const GONE_SECONDS = 60;

export interface JobRunner extends AsyncDisposable {
  readonly runner: Runner;
}

/** Starts running jobs in this process until disposed. `onError` is told of every failure of a job. */
export async function startJobs(
  db: Database,
  jobs: readonly Job<never>[],
  options: { concurrency: number; onError: (name: string, error: unknown) => void },
): Promise<JobRunner> {
  // Only where jobs run: a worker that answers requests alone is 4 MB smaller without it.
  const [{ run }, { quietLogger }] = await Promise.all([import('graphile-worker'), import('./logger.ts')]);
  const taskList: TaskList = {};
  for (const job of jobs) {
    taskList[job.name] = async (payload) => {
      try {
        await job.run(payload as never);
      } catch (error) {
        options.onError(job.name, error);
        throw error;
      }
    };
  }
  const crontab = jobs.filter((job) => job.every).map((job) => `${job.every} ${job.name} ?jobKey=${job.name}`);
  // Given to run() so that nothing is missed: its workers exist before it returns.
  const events = new EventEmitter() as WorkerEvents;
  const ids = new Set<string>();
  events.on('worker:create', ({ worker }) => ids.add(worker.workerId));
  events.on('worker:stop', ({ worker }) => ids.delete(worker.workerId));
  const runner = await run({
    events,
    pgPool: db.pool,
    taskList,
    crontab: crontab.join('\n'),
    concurrency: options.concurrency,
    noHandleSignals: true,
    logger: quietLogger,
  });
  const beat = (): void => {
    runner.promise.catch(() => {});
    beatAndUnlock(db, [...ids]).catch((error: unknown) => options.onError('job beat', error));
  };
  const timer = setInterval(beat, BEAT_MS);
  return {
    runner,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await runner.stop().catch(() => {});
    },
  };
}

async function beatAndUnlock(db: Database, ids: readonly string[]): Promise<void> {
  await db.query(sql`
    insert into job_runners (worker_id) select unnest(${ids}::text[]) on conflict (worker_id) do update set seen_at = now()`);
  const gone = await db.query<{ worker_id: string }>(sql`
    select distinct locked_by as worker_id from graphile_worker.jobs j left join job_runners r on r.worker_id = j.locked_by
    where j.locked_by is not null and j.locked_at < now() - make_interval(secs => ${GONE_SECONDS})
      and coalesce(r.seen_at, '-infinity') < now() - make_interval(secs => ${GONE_SECONDS})`);
  if (gone.length > 0) {
    await db.query(sql`select graphile_worker.force_unlock_workers(${gone.map((row) => row.worker_id)}::text[])`);
  }
  await db.query(sql`delete from job_runners where seen_at < now() - interval '1 day'`);
}
