import sql from 'sql-template-tag';
import { subjectsOf } from '../../auth/queries/grants.ts';
import type { ProjectFacts } from '../../auth/principal.ts';
import type { Queryable } from '../../db/database.ts';

/** Projects in which the principal may see something: public ones, and those with a grant that applies to it. */
export function selectVisibleProjects(db: Queryable, principalId: number, all: boolean): Promise<ProjectFacts[]> {
  return db.query<ProjectFacts>(sql`
    select id, name, kind, visibility, allow_sparse as "allowSparse", limited, epoch from projects p
    where ${all}::boolean or visibility = 'public' or exists (
      select 1 from (${subjectsOf(principalId)}) s join grants g on g.subject_id = s.id
      where g.project_id = p.id
        and coalesce(least(g.expires_at, s.expires_at) > now(), true))
    order by id`);
}
