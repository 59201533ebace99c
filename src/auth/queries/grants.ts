import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface GrantRow {
  id: number;
  subject: string;
  pathGlob: string;
  role: string;
  tagGlob: string | null;
  createOnly: boolean;
  /** Null: it does not expire. */
  expiresInMs: number | null;
}

/** What applies to the principal (0: anonymous) in the project, everyone's grants included. */
export function selectGrants(db: Queryable, projectId: number, principalId: number): Promise<GrantRow[]> {
  return db.query<GrantRow>(sql`
    select g.id, p.kind || ':' || p.name as subject, g.path_glob as "pathGlob", g.role, g.tag_glob as "tagGlob",
           g.create_only as "createOnly", (extract(epoch from g.expires_at - now()) * 1000)::float8 as "expiresInMs"
    from grants g join principals p on p.id = g.subject_id
    where g.project_id = ${projectId} and (p.id = ${principalId} or p.kind = 'everyone')
      and coalesce(g.expires_at > now(), true)
    order by g.id`);
}

export interface ProjectGrantRow {
  id: number;
  subject: string;
  subjectKind: string;
  pathGlob: string;
  role: string;
  tagGlob: string | null;
  createOnly: boolean;
  expiresAt: Date | null;
  createdAt: Date;
}

const COLUMNS = sql`g.id, s.name as subject, s.kind as "subjectKind", g.path_glob as "pathGlob", g.role,
  g.tag_glob as "tagGlob", g.create_only as "createOnly", g.expires_at as "expiresAt", g.created_at as "createdAt"`;

/** Expired ones stay visible. */
export function selectProjectGrants(
  db: Queryable,
  projectId: number,
  after: number,
  limit: number,
): Promise<ProjectGrantRow[]> {
  return db.query<ProjectGrantRow>(sql`
    select ${COLUMNS} from grants g join principals s on s.id = g.subject_id
    where g.project_id = ${projectId} and g.id > ${after} order by g.id limit ${limit}`);
}

/** A user by name, or everyone. */
export async function selectSubject(db: Queryable, name: string): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    select id from principals where kind = ${name === 'everyone' ? 'everyone' : 'user'} and name = ${name}`);
  return row?.id;
}

/** New, or in place of the one with the same subject and globs. */
export async function upsertGrant(
  tx: Queryable,
  grant: {
    subjectId: number;
    projectId: number;
    pathGlob: string;
    role: string;
    tagGlob: string | null;
    createOnly: boolean;
    expiresAt: Date | null;
    createdBy: number;
  },
): Promise<ProjectGrantRow> {
  const row = await tx.first<ProjectGrantRow>(sql`
    with g as (
      insert into grants (subject_id, project_id, path_glob, role, tag_glob, create_only, expires_at, created_by)
      values (${grant.subjectId}, ${grant.projectId}, ${grant.pathGlob}, ${grant.role}, ${grant.tagGlob},
              ${grant.createOnly}, ${grant.expiresAt}, ${grant.createdBy || null})
      on conflict (subject_id, project_id, path_glob, tag_glob) do update
        set role = excluded.role, create_only = excluded.create_only, expires_at = excluded.expires_at
      returning *
    )
    select ${COLUMNS} from g join principals s on s.id = g.subject_id`);
  return row!;
}

export function deleteGrant(tx: Queryable, projectId: number, id: number): Promise<ProjectGrantRow | undefined> {
  return tx.first<ProjectGrantRow>(sql`
    with g as (delete from grants where id = ${id} and project_id = ${projectId} returning *)
    select ${COLUMNS} from g join principals s on s.id = g.subject_id`);
}

/** Grants that memory remembers in this project are void from this commit on. */
export async function bumpProject(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`update projects set epoch = epoch + 1 where id = ${id}`);
}
