import sql from 'sql-template-tag';
import type { ProjectFacts } from '../../auth/principal.ts';
import type { Queryable } from '../../db/database.ts';

/** Projects in which the principal may see something: public ones, and those with a grant for it or for everyone. */
export function selectVisibleProjects(db: Queryable, principalId: number, all: boolean): Promise<ProjectFacts[]> {
  return db.query<ProjectFacts>(sql`
    select id, name, kind, visibility, allow_sparse as "allowSparse", epoch from projects p
    where ${all}::boolean or visibility = 'public' or exists (
      select 1 from grants g join principals s on s.id = g.subject_id
      where g.project_id = p.id and (g.subject_id = ${principalId} or s.kind = 'everyone')
        and (g.expires_at is null or g.expires_at > now()))
    order by id`);
}
