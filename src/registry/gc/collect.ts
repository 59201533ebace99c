/** Garbage collection, as a list of its steps. docs/garbage-collection.md says why each is safe beside any request. */
import { sweepDeadObjects } from '../../blobs/sweep.ts';
import { reapUploads } from '../queries/uploads.ts';
import { backfillReviews } from './backfill.ts';
import { reviewBlobs } from './blobs.ts';
import { reviewLinks } from './links.ts';
import { reviewOrphans } from './orphans.ts';
import { purgeTrash } from './purge.ts';
import { CollectionLost, RunInProgress, type Collecting, type Counts, type RunOptions } from './run.ts';

export interface CollectOptions extends RunOptions {
  /** Drops uploads that nobody touched for so long; undefined: none. */
  readonly uploadIdleSeconds?: number;
  /** Whether bytes whose time has come leave the store, too (true). */
  readonly sweep?: boolean;
}

export interface CollectReport extends Counts {
  /** Another process collects: nothing was done here, or not all. */
  readonly busy: boolean;
  /** The budget was over before all that was due had been looked at. */
  readonly more: boolean;
}

/**
 * Runs every step until nothing is due. It can be killed at any moment and run at any time, by any number of processes, of which
 * one works and the others return at once. What it removed is in `gc_runs`, too.
 */
export async function collect(world: Collecting, options: CollectOptions = {}): Promise<CollectReport> {
  const run = new RunInProgress(world, options);
  if (!(await run.claim())) return { ...run.counts, busy: true, more: false };
  try {
    await backfillReviews(run);
    if (options.uploadIdleSeconds !== undefined) await reapIdle(run, options.uploadIdleSeconds);
    do await purgeTrash(run);
    // With no time for undoing, orphans can be purged at once, and may have been subjects themselves.
    while (run.goesOn && (await reviewOrphans(run)) > 0);
    await reviewLinks(run);
    await reviewBlobs(run);
    if (options.sweep ?? true) await sweep(run);
  } catch (error) {
    // It goes on there; what was done here is done.
    if (!(error instanceof CollectionLost)) throw error;
    return { ...run.counts, busy: true, more: false };
  } finally {
    await run.finish();
  }
  return { ...run.counts, busy: false, more: !run.goesOn };
}

/** The last step alone. Any number of processes may sweep: no two of them take the same objects. */
export async function sweepBytes(world: Collecting, options: RunOptions = {}): Promise<Counts> {
  const run = new RunInProgress(world, options);
  try {
    await sweep(run);
  } finally {
    await run.finish();
  }
  return run.counts;
}

const REAP_BATCH = 500;

/** Uploads that nobody continued; their objects die with them. */
async function reapIdle(run: RunInProgress, idleSeconds: number): Promise<void> {
  let reaped = REAP_BATCH;
  while (reaped === REAP_BATCH && run.goesOn) {
    const { removed } = await run.batch(async (tx) => ({
      removed: { uploads: await reapUploads(tx, idleSeconds, REAP_BATCH) },
    }));
    reaped = removed.uploads;
  }
}

async function sweep(run: RunInProgress): Promise<void> {
  const { db, store } = run.world;
  await sweepDeadObjects(db, store, {
    goesOn: () => run.goesOn,
    rest: (took) => run.rest(took),
    note: (tx, { objects, bytes }) => run.note(tx, { objects, objectBytes: bytes }),
    done: ({ objects, bytes }) => run.committed({ objects, objectBytes: bytes }),
  });
}
