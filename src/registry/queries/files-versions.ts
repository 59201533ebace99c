import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';
import { PATH, rooted } from './paths.ts';

/** Names that semantic versions could have, of one repository. */
export function selectVersionNames(db: Queryable, repositoryId: number): Promise<{ name: string }[]> {
  return db.query<{ name: string }>(sql`
    select name from tags where repository_id = ${repositoryId} and name ~ '^v?[0-9]+\\.[0-9]+\\.[0-9]+'`);
}

export interface VersionListRow {
  name: string;
  /** As last built. */
  digest: Buffer;
  kind: string;
  stale: boolean;
  final: boolean;
  files: number | null;
  properties: Record<string, string> | null;
  updated_at: Date;
}

export function selectVersionPage(
  db: Queryable,
  repositoryId: number,
  last: string,
  limit: number,
): Promise<VersionListRow[]> {
  return db.query<VersionListRow>(sql`
    select t.name, m.digest, m.kind, t.stale, v.finalised_at is not null as final, v.files, v.properties, t.updated_at
    from tags t join manifests m on m.id = t.manifest_id
    left join file_versions v on v.repository_id = t.repository_id and v.name = t.name
    where t.repository_id = ${repositoryId} and t.name > ${last}
    order by t.name limit ${limit}`);
}

export interface FoundByProperty {
  path: string;
  name: string;
  digest: Buffer;
  stale: boolean;
  final: boolean;
  properties: Record<string, string>;
}

/** Versions of a project that have all of the properties, after (path, name), in byte order. */
export function selectByProperties(
  db: Queryable,
  projectId: number,
  properties: string,
  after: { path: string; name: string },
  limit: number,
): Promise<FoundByProperty[]> {
  return db.query<FoundByProperty>(sql`
    select ${PATH} as path, v.name, m.digest, t.stale, v.finalised_at is not null as final, v.properties
    from file_versions v join repositories r on r.id = v.repository_id
    join tags t on t.repository_id = v.repository_id and t.name = v.name join manifests m on m.id = t.manifest_id
    where v.properties @> ${properties}::jsonb and r.project_id = ${projectId}
      and (r.path, v.name) > (${after.path === '' ? '' : rooted(projectId, after.path)}::text collate "C", ${after.name}::text collate "C")
    order by r.path, v.name limit ${limit}`);
}
