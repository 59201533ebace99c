import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface TagListRow {
  name: string;
  digest: Buffer;
  mediaType: string;
  kind: string;
  artifactType: string | null;
  /** Of the manifest and of all blobs that it names itself. */
  size: number;
  stale: boolean;
  pushedAt: Date;
  pushedBy: string | null;
  lastPulledAt: Date | null;
  pulls: number;
}

/** Up to `limit` tags after `after`, in byte order. */
export function selectTagList(
  db: Queryable,
  repositoryId: number,
  after: string,
  limit: number,
): Promise<TagListRow[]> {
  return db.query<TagListRow>(sql`
    select t.name, m.digest, m.media_type as "mediaType", m.kind, m.artifact_type as "artifactType", t.stale,
           m.size + (select coalesce(sum(b.size), 0) from manifest_blobs mb join blobs b on b.id = mb.blob_id
                     where mb.repository_id = t.repository_id and mb.manifest_id = m.id)::bigint as size,
           t.updated_at as "pushedAt", (select name from principals where id = t.updated_by) as "pushedBy",
           p.last_pulled_at as "lastPulledAt", coalesce(p.pulls, 0) as pulls
    from (select * from tags where repository_id = ${repositoryId} and name > ${after} order by name limit ${limit}) t
    join manifests m on m.id = t.manifest_id
    left join tag_pulls p on p.repository_id = t.repository_id and p.name = t.name
    order by t.name`);
}
