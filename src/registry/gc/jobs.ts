/** Garbage collection as background jobs: every minute, and when somebody asks. */
import type { Transaction } from '../../db/database.ts';
import { enqueue } from '../../jobs/queue.ts';
import type { Registry } from '../registry.ts';
import { collect, sweepBytes } from './collect.ts';

/** The part that works on rows. */
export const COLLECT = 'collect-garbage';
/** The part that works on the store, apart: a slow store must not hold up the other. */
export const SWEEP = 'sweep-dead-objects';

/** Of the schedule's jobs nothing is said. */
export interface CollectJob {
  readonly requestedBy?: number;
}

/** A job keeps its place no longer; the next one goes on a moment later. */
const BUDGET_MS = 45_000;
/**
 * A quarter of the time is the collector's, so that requests do not notice it: on two cores that were half busy the p99 of a push
 * was 1.1 times what it was without; 2.8 times when half of the time was, and sixteen deletes went at once (docs/evidence.md).
 */
export const PACE = 3;

/** One that was asked for goes on in another job until nothing is due. */
export async function runCollectJob(registry: Registry, job: CollectJob, budget = BUDGET_MS): Promise<void> {
  const { requestedBy } = job;
  const { more } = await collect(registry, {
    cause: requestedBy === undefined ? 'schedule' : 'request',
    requestedBy: requestedBy ?? null,
    budget,
    pace: PACE,
    uploadIdleSeconds: registry.limits.uploadIdleSeconds,
    // Who asks for it wants all of it; ordinarily the bytes have a job of their own.
    sweep: requestedBy !== undefined,
  });
  if (more && requestedBy !== undefined) await registry.db.transaction((tx) => enqueueCollection(tx, requestedBy));
}

export async function runSweepJob(registry: Registry): Promise<void> {
  await sweepBytes(registry, { budget: BUDGET_MS, pace: PACE });
}

/** Has both parts run as soon as a worker is free. */
export function enqueueCollection(tx: Transaction, requestedBy: number): Promise<void> {
  return enqueue(tx, COLLECT, { requestedBy }, `${COLLECT} requested`);
}
