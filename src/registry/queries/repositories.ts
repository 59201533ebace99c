import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/** The new project's id, or undefined when the name is taken. */
export async function insertProject(db: Queryable, name: string, createdBy: number): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    insert into projects (name, created_by) values (${name}, ${createdBy || null}) on conflict do nothing returning id`);
  return row?.id;
}

export async function insertOwner(db: Queryable, projectId: number, principalId: number): Promise<void> {
  await db.query(sql`
    insert into grants (subject_id, project_id, role, created_by) values (${principalId}, ${projectId}, 'owner', ${principalId})
    on conflict do nothing`);
}

export async function selectProjectId(db: Queryable, name: string): Promise<number> {
  const row = await db.first<{ id: number }>(sql`select id from projects where name = ${name}`);
  if (!row) throw new Error(`Project ${name} vanished while it was being used`);
  return row.id;
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
