import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/**
 * The new project's id, or undefined when the name is taken.
 * @param maxBytes its quota; undefined: without limit
 */
export async function insertProject(
  db: Queryable,
  name: string,
  createdBy: number,
  maxBytes: number | undefined,
): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    insert into projects (name, created_by, limited) values (${name}, ${createdBy || null}, ${maxBytes !== undefined})
    on conflict do nothing returning id`);
  if (row !== undefined && maxBytes !== undefined) {
    await db.query(sql`update project_usage set max_bytes = ${maxBytes} where project_id = ${row.id}`);
  }
  return row?.id;
}

export async function insertOwner(db: Queryable, projectId: number, principalId: number): Promise<void> {
  await db.query(sql`
    insert into grants (subject_id, project_id, role, created_by) values (${principalId}, ${projectId}, 'owner', ${principalId})
    on conflict do nothing`);
}

/** The new repository's id, or undefined when the path is taken. */
export async function insertRepository(db: Queryable, projectId: number, path: string): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    insert into repositories (project_id, path) values (${projectId}, ${path}) on conflict do nothing returning id`);
  return row?.id;
}

export async function selectRepositoryId(db: Queryable, path: string): Promise<number> {
  const row = await db.first<{ id: number }>(sql`select id from repositories where path = ${path}`);
  if (!row) throw new Error(`Repository ${path} vanished while it was being used`);
  return row.id;
}

/**
 * In a sparse repository, a blob that comes and a manifest that misses it must see each other; whoever is second waits
 * here, before the statement whose snapshot has to include the first.
 */
export async function lockSparse(tx: Transaction, repositoryId: number): Promise<void> {
  await tx.query(sql`select 1 from repositories where id = ${repositoryId} for no key update`);
}

/** Makes everything that memory remembers of the repository unknown, on every replica. */
export async function bumpRepositoryEpoch(db: Queryable, repositoryId: number): Promise<void> {
  await db.query(sql`update repositories set epoch = epoch + 1 where id = ${repositoryId}`);
}

export interface RepositoryRow {
  id: number;
  path: string;
}

/** Repositories that hold at least one manifest, in byte order, of the given projects (null: of all). */
export function selectRepositories(
  db: Queryable,
  projectIds: readonly number[] | null,
  after: string,
  limit: number,
): Promise<(RepositoryRow & { project_id: number })[]> {
  return db.query(sql`
    select id, path, project_id from repositories r
    where path > ${after} and (${projectIds}::bigint[] is null or project_id = any (${projectIds}))
      and exists (select 1 from manifests m where m.repository_id = r.id and m.deleted_at is null)
    order by path limit ${limit}`);
}
