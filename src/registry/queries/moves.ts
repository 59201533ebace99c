import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export interface MoveRow {
  id: number;
  repositoryId: number;
  fromProjectId: number;
  toProjectId: number;
  fromProject: string;
  toProject: string;
  fromPath: string;
  toPath: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  manifests: number;
  blobs: number;
  error: string | null;
  createdBy: number | null;
  createdAt: Date;
  finishedAt: Date | null;
}

const COLUMNS = sql`
  m.id, m.repository_id as "repositoryId", m.from_project_id as "fromProjectId", m.to_project_id as "toProjectId",
  f.name as "fromProject", t.name as "toProject", m.from_path as "fromPath", m.to_path as "toPath", m.state, m.manifests,
  m.blobs, m.error, m.created_by as "createdBy", m.created_at as "createdAt", m.finished_at as "finishedAt"
  from repository_moves m join projects f on f.id = m.from_project_id join projects t on t.id = m.to_project_id`;

/** Undefined while another move of the repository is not over. */
export async function insertMove(
  tx: Transaction,
  move: {
    repositoryId: number;
    fromProjectId: number;
    toProjectId: number;
    fromPath: string;
    toPath: string;
    createdBy: number;
  },
): Promise<number | undefined> {
  const row = await tx.first<{ id: number }>(sql`
    insert into repository_moves (repository_id, from_project_id, to_project_id, from_path, to_path, created_by)
    values (${move.repositoryId}, ${move.fromProjectId}, ${move.toProjectId}, ${move.fromPath}, ${move.toPath},
            ${move.createdBy || null})
    on conflict do nothing returning id`);
  return row?.id;
}

export function selectMove(db: Queryable, id: number): Promise<MoveRow | undefined> {
  return db.first<MoveRow>(sql`select ${COLUMNS} where m.id = ${id}`);
}

/** Into the project and out of it, newest first. */
export function selectMoves(
  db: Queryable,
  projectId: number,
  before: number | undefined,
  limit: number,
): Promise<MoveRow[]> {
  const last = before ?? null;
  return db.query<MoveRow>(sql`
    (select ${COLUMNS} where m.from_project_id = ${projectId} and (${last}::bigint is null or m.id < ${last})
     order by m.id desc limit ${limit})
    union all
    (select ${COLUMNS} where m.to_project_id = ${projectId} and (${last}::bigint is null or m.id < ${last})
     order by m.id desc limit ${limit})
    order by id desc limit ${limit}`);
}

/** What there is to be moved, as far as anybody can say while pushes go on. */
export async function countMoved(db: Queryable, id: number): Promise<void> {
  await db.query(sql`
    update repository_moves m
    set state = 'running',
        manifests = (select count(*) from manifests where repository_id = m.repository_id and deleted_at is null),
        blobs = (select count(*) from repository_blobs where repository_id = m.repository_id and deleted_at is null)
    where id = ${id} and state in ('waiting', 'running')`);
}

/** Once; false when it was over before. */
export async function finishMove(db: Queryable, id: number, error: string | null): Promise<boolean> {
  const row = await db.first(sql`
    update repository_moves
    set state = case when ${error}::text is null then 'done' else 'failed' end, error = ${error}, finished_at = now()
    where id = ${id} and state in ('waiting', 'running') returning 1 as ok`);
  return row !== undefined;
}
