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
