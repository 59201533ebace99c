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
 * about the number of questions. A former name is looked for only where there is no such name: no name is in both tables.
 */
export function selectScenes(db: Queryable, questions: readonly SceneQuestion[]): Promise<SceneRow[]> {
  const paths = questions.map((q) => q.path);
  const projects = questions.map((q) => q.path.split('/', 1)[0] ?? '');
  const rests = questions.map((q) => behindProject(q.path));
  const principals = questions.map((q) => q.principalId);
  const tags = questions.map((q) => q.tag ?? null);
  return db.query<SceneRow>(sql`
    select q.path as asked,
           case when p.id is null then q.path
                when r.id is null then p.name || q.rest
                else p.name || substr(r.path, length(p.root) + 1) end as path,
           p.id as project_id, p.name as project_name, p.kind as project_kind, p.visibility, p.allow_sparse, p.limited,
           p.epoch as project_epoch, r.id as repository_id, r.epoch as repository_epoch, s.epoch as principal_epoch,
           t.digest as tag_digest, t.stale as tag_stale
    from unnest(${paths}::text[], ${projects}::text[], ${rests}::text[], ${principals}::bigint[], ${tags}::text[])
         with ordinality as q (path, project, rest, principal, tag, i)
    left join lateral (select id, root from projects where name = q.project
                       union all
                       select o.id, o.root from project_aliases a join projects o on o.id = a.project_id where a.name = q.project
                       limit 1) named on true
    left join lateral (select id, project_id, path, epoch from repositories where path = named.root || q.rest
                       union all
                       select o.id, o.project_id, o.path, o.epoch
                       from repository_aliases a join repositories o on o.id = a.repository_id where a.path = named.root || q.rest
                       limit 1) r on true
    left join lateral (select * from projects where id = coalesce(r.project_id, named.id) limit 1) p on true
    left join lateral (select epoch from principals where id = q.principal and disabled_at is null
                       and (expires_at is null or expires_at > now()) limit 1) s on true
    left join lateral (select m.digest, tags.stale from tags join manifests m on m.id = tags.manifest_id and m.deleted_at is null
                       where tags.repository_id = r.id and tags.name = q.tag limit 1) t on true
    order by q.i`);
}
