/** Runs, seen from outside: started, listed, reported on, undone. What they do is in run.ts and undo.ts. */
import { recordChange, type Actor } from '../../auth/events.ts';
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import { enqueue } from '../../jobs/queue.ts';
import { selectDecisions } from '../queries/retention-decisions.ts';
import { pausePolicy } from '../queries/retention-policies.ts';
import { beginUndo, insertRun, lockRun, selectRun, selectRuns, type RunRow } from '../queries/retention-runs.ts';
import { RetentionError } from './errors.ts';
import { findPolicy, missingPolicy } from './policies.ts';
import type { Rule } from './rule.ts';

/** The job that works on a run, or undoes it. */
export const RUN_RETENTION = 'run-retention';

export type Run = RunRow;

export interface RunDecision {
  readonly id: number;
  readonly repository: string;
  readonly kind: 'tag' | 'manifest';
  readonly name: string | undefined;
  readonly digest: Digest;
  readonly decision: 'deleted' | 'skipped' | 'restored';
  readonly reason: string;
}

/**
 * Has the stored policy carried out, in the background.
 * @throws {RetentionError} policy-missing, under-way
 */
export function startRun(db: Database, projectId: number, actor: Actor): Promise<Run> {
  return db.transaction(async (tx) => {
    const policy = await findPolicy(tx, projectId);
    if (!policy) throw missingPolicy();
    const run = await beginRun(tx, { projectId, rules: policy.rules, trigger: 'manual' }, actor);
    if (!run) throw underWay();
    return run;
  });
}

/** Undefined while another one is under way. */
export async function beginRun(
  tx: Transaction,
  begin: { readonly projectId: number; readonly rules: readonly Rule[]; readonly trigger: 'manual' | 'daily' },
  actor: Actor,
): Promise<Run | undefined> {
  const run = await insertRun(tx, { ...begin, actorId: actor.id });
  if (!run) return undefined;
  await enqueue(tx, RUN_RETENTION, { run: run.id }, `${RUN_RETENTION} ${run.id}`);
  await recordChange(tx, actor, {
    type: 'retention.started',
    projectId: begin.projectId,
    data: { run: run.id, trigger: begin.trigger },
  });
  return run;
}

/** @throws {RetentionError} run-unknown */
export async function requireRun(db: Queryable, projectId: number, id: number): Promise<Run> {
  const run = await selectRun(db, projectId, id);
  if (!run) throw unknownRun();
  return run;
}

/** Newest first. */
export function listRuns(
  db: Queryable,
  projectId: number,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<Run[]> {
  return selectRuns(db, projectId, page.before ?? null, page.limit);
}

/** What the run deleted, skipped and restored, in that order of time. */
export async function listDecisions(
  db: Queryable,
  run: Run,
  page: { readonly after: number | undefined; readonly limit: number },
): Promise<RunDecision[]> {
  const rows = await selectDecisions(db, run.id, page.after ?? 0, page.limit);
  return rows.map((row) => ({
    id: row.id,
    repository: row.path,
    kind: row.kind,
    name: row.name ?? undefined,
    digest: digestFromBytes(row.digest),
    decision: row.decision,
    reason: row.reason,
  }));
}

/**
 * Has what the run deleted brought back, as far as it is still in the trash and its tags are free, in the background. The
 * daily run is switched off, or it would delete the same again.
 * @throws {RetentionError} run-unknown, run-not-done, under-way
 */
export function undoRun(db: Database, projectId: number, id: number, actor: Actor): Promise<Run> {
  return db.transaction(async (tx) => {
    const run = await lockRun(tx, projectId, id);
    if (!run) throw unknownRun();
    if (run.state === 'undoing') return run;
    if (run.state === 'waiting' || run.state === 'running') throw underWay();
    if (run.state === 'undone') throw new RetentionError('run-not-done', 'This run has been undone already.');
    if (!(await beginUndo(tx, projectId, id, actor.id))) throw underWay();
    const paused = await pausePolicy(tx, projectId);
    await enqueue(tx, RUN_RETENTION, { run: id }, `${RUN_RETENTION} ${id}`);
    await recordChange(tx, actor, { type: 'retention.undo-started', projectId, data: { run: id, paused } });
    return { ...run, state: 'undoing' as const };
  });
}

function underWay(): RetentionError {
  return new RetentionError('under-way', 'A run is under way in this project; wait until it is done.');
}

function unknownRun(): RetentionError {
  return new RetentionError('run-unknown', 'This project has no such run.');
}
