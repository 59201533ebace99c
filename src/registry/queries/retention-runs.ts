import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import type { Rule } from '../retention/rule.ts';

export type RunState = 'waiting' | 'running' | 'done' | 'failed' | 'undoing' | 'undone';

export interface RunRow {
  id: number;
  projectId: number;
  state: RunState;
  trigger: 'manual' | 'daily';
  rules: Rule[];
  startedBy: string | null;
  startedById: number | null;
  undoneById: number | null;
  startedAt: Date;
  finishedAt: Date | null;
  tagsDeleted: number;
  manifestsDeleted: number;
  tagsKept: number;
  manifestsKept: number;
  skipped: number;
  restored: number;
  bytes: number;
  error: string | null;
}

const COLUMNS = sql`
  r.id, r.project_id as "projectId", r.state, r.trigger, r.rules, r.started_by as "startedById", r.undone_by as "undoneById",
  (select name from principals where id = r.started_by) as "startedBy", r.started_at as "startedAt",
  r.finished_at as "finishedAt", r.tags_deleted as "tagsDeleted", r.manifests_deleted as "manifestsDeleted",
  r.tags_kept as "tagsKept", r.manifests_kept as "manifestsKept", r.skipped, r.restored, r.bytes, r.error`;

/** Undefined while another one is under way in the project. */
export function insertRun(
  tx: Transaction,
  run: { projectId: number; trigger: 'manual' | 'daily'; rules: readonly Rule[]; actorId: number },
): Promise<RunRow | undefined> {
  return tx.first<RunRow>(sql`
    insert into retention_runs as r (project_id, trigger, rules, started_by)
    values (${run.projectId}, ${run.trigger}, ${JSON.stringify(run.rules)}, ${run.actorId || null})
    on conflict (project_id) where state in ('waiting', 'running', 'undoing') do nothing
    returning ${COLUMNS}`);
}

export function selectRun(db: Queryable, projectId: number, id: number): Promise<RunRow | undefined> {
  return db.first<RunRow>(
    sql`select ${COLUMNS} from retention_runs r where r.project_id = ${projectId} and r.id = ${id}`,
  );
}

/** Newest first. */
export function selectRuns(db: Queryable, projectId: number, before: number | null, limit: number): Promise<RunRow[]> {
  return db.query<RunRow>(sql`
    select ${COLUMNS} from retention_runs r
    where r.project_id = ${projectId} and (${before}::bigint is null or r.id < ${before})
    order by r.id desc limit ${limit}`);
}

/** Silent for this long, whoever worked on a run is taken to be gone. */
export const GONE_SECONDS = 120;

/** Makes the worker the one that works on it; undefined when it is over, or another one does. */
export function claimRun(db: Queryable, id: number, worker: string): Promise<RunRow | undefined> {
  return db.first<RunRow>(sql`
    update retention_runs r
    set worker = ${worker}::uuid, seen_at = now(), state = case state when 'waiting' then 'running' else state end
    where r.id = ${id} and r.state in ('waiting', 'running', 'undoing')
      and (r.worker is null or r.seen_at < now() - make_interval(secs => ${GONE_SECONDS}))
    returning ${COLUMNS}`);
}

/** What one that was killed had counted of what it kept or left; deletions count once, in their own transactions. */
export async function beginAgain(tx: Transaction, id: number): Promise<void> {
  await tx.query(sql`update retention_runs set tags_kept = 0, manifests_kept = 0, skipped = 0 where id = ${id}`);
  await tx.query(sql`delete from retention_decisions where run_id = ${id} and decision = 'skipped'`);
}

export interface Progress {
  readonly tagsDeleted?: number;
  readonly manifestsDeleted?: number;
  readonly tagsKept?: number;
  readonly manifestsKept?: number;
  readonly skipped?: number;
  readonly restored?: number;
}

/** False when the run is not the worker's any more: what it does must not be committed. */
export async function noteProgress(db: Queryable, id: number, worker: string, progress: Progress): Promise<boolean> {
  const row = await db.first(sql`
    update retention_runs
    set seen_at = now(), tags_deleted = tags_deleted + ${progress.tagsDeleted ?? 0}::bigint,
        manifests_deleted = manifests_deleted + ${progress.manifestsDeleted ?? 0}::bigint,
        tags_kept = tags_kept + ${progress.tagsKept ?? 0}::bigint,
        manifests_kept = manifests_kept + ${progress.manifestsKept ?? 0}::bigint,
        skipped = skipped + ${progress.skipped ?? 0}::bigint, restored = restored + ${progress.restored ?? 0}::bigint
    where id = ${id} and worker = ${worker}::uuid returning 1 as ok`);
  return row !== undefined;
}

/** Undefined when the run is not the worker's any more. */
export function finishRun(
  db: Queryable,
  id: number,
  worker: string,
  end: { state: RunState; bytes: number; error: string | null },
): Promise<RunRow | undefined> {
  return db.first<RunRow>(sql`
    update retention_runs r
    set state = ${end.state}, bytes = ${end.bytes}, error = ${end.error}, finished_at = now(), worker = null
    where r.id = ${id} and r.worker = ${worker}::uuid returning ${COLUMNS}`);
}

/** Lets another worker take it at once. */
export async function releaseRun(db: Queryable, id: number, worker: string): Promise<void> {
  await db.query(sql`update retention_runs set worker = null where id = ${id} and worker = ${worker}::uuid`);
}

export function lockRun(tx: Transaction, projectId: number, id: number): Promise<RunRow | undefined> {
  return tx.first<RunRow>(sql`
    select ${COLUMNS} from retention_runs r where r.project_id = ${projectId} and r.id = ${id} for update`);
}

/** False while another one is under way in the project. */
export async function beginUndo(tx: Transaction, projectId: number, id: number, actorId: number): Promise<boolean> {
  const row = await tx.first(sql`
    update retention_runs set state = 'undoing', worker = null, undone_by = ${actorId || null}
    where id = ${id} and not exists (
      select from retention_runs o where o.project_id = ${projectId} and o.state in ('waiting', 'running', 'undoing'))
    returning 1 as ok`);
  return row !== undefined;
}

/** Those that nobody has worked on for a while. */
export async function selectForsakenRuns(db: Queryable, limit: number): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    select id from retention_runs
    where state in ('waiting', 'running', 'undoing')
      and coalesce(seen_at, started_at) < now() - make_interval(secs => ${GONE_SECONDS})
    order by id limit ${limit}`);
  return rows.map((row) => row.id);
}

/** Removes up to `limit` runs that were started more than 90 days ago; returns how many. */
export async function deleteOldRuns(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from retention_runs where id in (
      select id from retention_runs
      where started_at < now() - interval '90 days' and state not in ('waiting', 'running', 'undoing')
      order by id limit ${limit})
    returning 1 as ok`);
  return rows.length;
}
