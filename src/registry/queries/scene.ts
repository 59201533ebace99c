import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';
import type { SceneQuestion } from '../scene.ts';
import { behindProject } from './paths.ts';

export interface SceneRow {
  /** As it was asked for. */
  asked: string;
  /** As it is called now. */
  path: string;
  project_id: number | null;
  project_name: string | null;
  project_kind: string | null;
  visibility: string | null;
  allow_sparse: boolean | null;
  limited: boolean | null;
  project_epoch: number | null;
  repository_id: number | null;
  repository_epoch: number | null;
  principal_epoch: number | null;
  tag_digest: Buffer | null;
  tag_stale: boolean | null;
}

/**
 * One row per question, in order. The laterals with `limit 1` keep the planner on index look-ups whatever it believes
 * about the number of questions. The arrays are in sub-selects so that it never knows that number: a plan for one question looks
 * cheaper to it than the plan for any number, so it would plan each time anew, for 0.35 ms where the answer takes 0.06 ms. A former
 * name is looked for only where there is no such name: no name is in both tables. Only what has moved to another project makes a
 * look for that one (`h`).
 */
export function selectScenes(db: Queryable, questions: readonly SceneQuestion[]): Promise<SceneRow[]> {
  const paths = questions.map((q) => q.path);
  const projects = questions.map((q) => q.path.split('/', 1)[0] ?? '');
  const rests = questions.map((q) => behindProject(q.path));
  const principals = questions.map((q) => q.principalId);
  const tags = questions.map((q) => q.tag ?? null);
  return db.query<SceneRow>(sql`
    select q.path as asked,
           case when n.id is null then q.path
                when r.id is null then n.name || q.rest
                else coalesce(h.name, n.name) || substr(r.path, length(coalesce(h.root, n.root)) + 1) end as path,
           coalesce(h.id, n.id) as project_id, coalesce(h.name, n.name) as project_name, coalesce(h.kind, n.kind) as project_kind,
           coalesce(h.visibility, n.visibility) as visibility, coalesce(h.allow_sparse, n.allow_sparse) as allow_sparse,
           coalesce(h.limited, n.limited) as limited, coalesce(h.epoch, n.epoch) as project_epoch,
           r.id as repository_id, r.epoch as repository_epoch, s.epoch as principal_epoch,
           t.digest as tag_digest, t.stale as tag_stale
    from unnest((select ${paths}::text[]), (select ${projects}::text[]), (select ${rests}::text[]),
                (select ${principals}::bigint[]), (select ${tags}::text[]))
         with ordinality as q (path, project, rest, principal, tag, i)
    left join lateral (select * from projects where name = q.project
                       union all
                       select o.* from project_aliases a join projects o on o.id = a.project_id where a.name = q.project
                       limit 1) n on true
    left join lateral (select id, project_id, path, epoch from repositories where path = n.root || q.rest
                       union all
                       select o.id, o.project_id, o.path, o.epoch
                       from repository_aliases a join repositories o on o.id = a.repository_id where a.path = n.root || q.rest
                       limit 1) r on true
    left join lateral (select * from projects where r.project_id <> n.id and id = r.project_id limit 1) h on true
    left join lateral (select epoch from principals where id = q.principal and disabled_at is null
                       and (expires_at is null or expires_at > now()) limit 1) s on true
    left join lateral (select m.digest, tags.stale from tags join manifests m on m.id = tags.manifest_id and m.deleted_at is null
                       where tags.repository_id = r.id and tags.name = q.tag limit 1) t on true
    order by q.i`);
}
