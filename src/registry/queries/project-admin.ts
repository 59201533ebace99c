import sql from 'sql-template-tag';
import { subjectsOf } from '../../auth/queries/grants.ts';
import type { Queryable } from '../../db/database.ts';
import { PATH, rooted } from './paths.ts';

export interface ProjectRow {
  id: number;
  name: string;
  kind: 'hosted' | 'proxy';
  visibility: 'private' | 'public';
  allowSparse: boolean;
  createdAt: Date;
}

const COLUMNS = sql`p.id, p.name, p.kind, p.visibility, p.allow_sparse as "allowSparse", p.created_at as "createdAt"`;

export function selectProject(db: Queryable, id: number): Promise<ProjectRow | undefined> {
  return db.first<ProjectRow>(sql`select ${COLUMNS} from projects p where p.id = ${id}`);
}

/** Public ones, those with a grant that applies to the viewer, or all. */
export function selectProjectPage(
  db: Queryable,
  viewer: { id: number; admin: boolean },
  after: string | undefined,
  limit: number,
): Promise<ProjectRow[]> {
  return db.query<ProjectRow>(sql`
    select ${COLUMNS} from projects p
    where p.name > ${after ?? ''} and (${viewer.admin}::boolean or p.visibility = 'public' or exists (
      select 1 from (${subjectsOf(viewer.id)}) s join grants g on g.subject_id = s.id
      where g.project_id = p.id
        and coalesce(least(g.expires_at, s.expires_at) > now(), true)))
    order by p.name limit ${limit}`);
}

/** Locks the project against every other change of it, new repositories included (they reference it). */
export function lockProject(tx: Queryable, id: number): Promise<ProjectRow | undefined> {
  return tx.first<ProjectRow>(sql`select ${COLUMNS} from projects p where p.id = ${id} for update`);
}

/** The epoch rises: whatever was decided under the old settings is void. */
export async function updateProject(
  tx: Queryable,
  id: number,
  visibility: 'private' | 'public' | undefined,
  allowSparse: boolean | undefined,
): Promise<ProjectRow> {
  const row = await tx.first<ProjectRow>(sql`
    update projects p
    set visibility = coalesce(${visibility ?? null}, visibility),
        allow_sparse = coalesce(${allowSparse ?? null}::boolean, allow_sparse),
        epoch = epoch + 1
    where id = ${id} returning ${COLUMNS}`);
  return row!;
}

export async function anyRepository(db: Queryable, projectId: number): Promise<boolean> {
  return (
    (await db.first(sql`select 1 as found from repositories where project_id = ${projectId} limit 1`)) !== undefined
  );
}

export async function deleteProject(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from projects where id = ${id}`);
}

/** Of one project, by path, in byte order; not those that were deleted and have nothing in them. */
export function selectProjectRepositories(
  db: Queryable,
  projectId: number,
  after: string | undefined,
  limit: number,
): Promise<{ path: string; createdAt: Date }[]> {
  return db.query(sql`
    select ${PATH} as path, r.created_at as "createdAt" from repositories r
    where r.project_id = ${projectId} and r.path > ${after === undefined ? '' : rooted(projectId, after)}
      and (r.deleted_at is null
           or exists (select from manifests m where m.repository_id = r.id and m.deleted_at is null))
    order by r.path limit ${limit}`);
}
