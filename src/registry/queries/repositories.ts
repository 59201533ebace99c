import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { rooted } from './paths.ts';

/**
 * The new project's id, or undefined when the name is taken, also as a former name of another project.
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

/**
 * The new repository's id, or undefined when the path is taken, also as a former one. What is written of the path is its part
 * behind the project (trigger `repository_inserted`).
 */
export async function insertRepository(db: Queryable, projectId: number, path: string): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    insert into repositories (project_id, path) values (${projectId}, ${path}) on conflict do nothing returning id`);
  return row?.id;
}

/** Undefined when it is called something else by now. */
export async function selectRepositoryId(db: Queryable, projectId: number, path: string): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(
    sql`select id from repositories where path = ${rooted(projectId, path)} and project_id = ${projectId}`,
  );
  return row?.id;
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

/**
 * Repositories that hold at least one manifest, in byte order, of the given projects (null: of all). Where the project was never
 * renamed, the path in the table is the path; the few others are looked up project by project, and both are read in order.
 */
export function selectRepositories(
  db: Queryable,
  projectIds: readonly number[] | null,
  after: string,
  limit: number,
): Promise<(RepositoryRow & { project_id: number })[]> {
  const holds = sql`exists (select 1 from manifests m where m.repository_id = r.id and m.deleted_at is null)`;
  return db.query(sql`
    select id, path, project_id from (
      (select r.id, r.path, r.project_id from repositories r
       where r.path > ${after} and (${projectIds}::bigint[] is null or r.project_id = any (${projectIds})) and ${holds}
         and r.project_id not in (select id from projects where root <> name)
       order by r.path limit ${limit})
      union all
      (select r.id, p.name || substr(r.path, length(p.root) + 1), r.project_id
       from (select id, root, name,
                    case when starts_with(${after}, name) then root || substr(${after}, length(name) + 1)
                         when name > ${after}::text collate "C" then '' end collate "C" as last
             from projects
             where root <> name and (${projectIds}::bigint[] is null or id = any (${projectIds}))) p
       cross join lateral (select * from repositories r
                           where r.project_id = p.id and r.path > p.last and ${holds} order by r.path limit ${limit}) r)
    ) listed (id, path, project_id)
    order by path collate "C" limit ${limit}`);
}
