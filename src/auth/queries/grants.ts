import sql, { empty, type Sql } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/**
 * Whose grants apply to a principal (0: anonymous): its own, those of the teams it is a member of, for a CI session those of
 * the trust rule that let it in, and everyone's. Nothing else is inherited; who made a robot does not matter. Rows of subjects
 * that are disabled give nothing.
 */
export function subjectsOf(principalId: number): Sql {
  return sql`
    select s.id, s.kind, s.name, s.expires_at from principals s
    where s.disabled_at is null and (
      s.id = ${principalId}::bigint
      or s.kind = 'everyone'
      or s.id in (select team_id from team_members where member_id = ${principalId}::bigint)
      or s.id = (select parent_id from principals where id = ${principalId}::bigint and kind = 'ci_session')
         and s.kind = 'trust_rule')`;
}

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

/** What applies to the principal in the project; a grant ends no later than whom it was given to. */
export function selectGrants(db: Queryable, projectId: number, principalId: number): Promise<GrantRow[]> {
  return db.query<GrantRow>(sql`
    with subject as materialized (${subjectsOf(principalId)})
    select g.id, s.kind || ':' || s.name as subject, g.path_glob as "pathGlob", g.role, g.tag_glob as "tagGlob",
           g.create_only as "createOnly",
           (extract(epoch from least(g.expires_at, s.expires_at) - now()) * 1000)::float8 as "expiresInMs"
    from subject s join grants g on g.subject_id = s.id
    where g.project_id = ${projectId} and coalesce(least(g.expires_at, s.expires_at) > now(), true)
    order by g.id`);
}

export interface ProjectGrantRow {
  id: number;
  subject: string;
  subjectType: string;
  pathGlob: string;
  role: string;
  tagGlob: string | null;
  createOnly: boolean;
  expiresAt: Date | null;
  createdAt: Date;
}

const COLUMNS = sql`g.id, s.name as subject, s.kind as "subjectType", g.path_glob as "pathGlob", g.role,
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

export interface SubjectRow {
  id: number;
  kind: string;
  name: string;
  admin: boolean;
}

/** Also one that is disabled. @param projectId absent: whose robots does not matter */
export function selectSubjectFacts(
  db: Queryable,
  projectId: number | undefined,
  type: string,
  name: string,
): Promise<SubjectRow | undefined> {
  return db.first<SubjectRow>(sql`
    select p.id, p.kind, p.name, coalesce(u.admin, false) as admin
    from principals p left join users u on u.principal_id = p.id
    where p.kind = ${type} and p.name = ${name} ${projectId === undefined ? empty : sql`and ${HERE(projectId)}`}`);
}

/** Robots and trust rules of other projects are none here: their names would tell that there are such projects. */
const HERE = (projectId: number): Sql => sql`
  (p.kind <> 'robot' or coalesce((select project_id from robots where principal_id = p.id), ${projectId}) = ${projectId})
  and (p.kind <> 'trust_rule'
       or coalesce((select project_id from trust_rules where principal_id = p.id), ${projectId}) = ${projectId})`;

export async function selectSubject(
  db: Queryable,
  projectId: number,
  type: string,
  name: string,
): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    select p.id from principals p where p.kind = ${type} and p.name = ${name} and ${HERE(projectId)}`);
  return row?.id;
}

export function selectProjectGrant(db: Queryable, projectId: number, id: number): Promise<ProjectGrantRow | undefined> {
  return db.first<ProjectGrantRow>(sql`
    select ${COLUMNS} from grants g join principals s on s.id = g.subject_id
    where g.project_id = ${projectId} and g.id = ${id}`);
}

/** What a grant with the same subject and globs says now. */
export function selectGrantAt(
  tx: Queryable,
  where: { subjectId: number; projectId: number; pathGlob: string; tagGlob: string | null },
): Promise<{ role: string; createOnly: boolean; expiresAt: Date | null } | undefined> {
  return tx.first(sql`
    select role, create_only as "createOnly", expires_at as "expiresAt" from grants
    where subject_id = ${where.subjectId} and project_id = ${where.projectId} and path_glob = ${where.pathGlob}
      and tag_glob is not distinct from ${where.tagGlob}`);
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

export async function deleteGrant(tx: Queryable, projectId: number, id: number): Promise<ProjectGrantRow> {
  const row = await tx.first<ProjectGrantRow>(sql`
    with g as (delete from grants where id = ${id} and project_id = ${projectId} returning *)
    select ${COLUMNS} from g join principals s on s.id = g.subject_id`);
  return row!;
}

/** Grants that memory remembers in this project are void from this commit on. */
export async function bumpProject(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`update projects set epoch = epoch + 1 where id = ${id}`);
}
