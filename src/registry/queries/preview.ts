/** What a delete would come to, without doing it. */
import sql, { type Sql } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface DependentRow {
  id: number;
  digest: Buffer;
  kind: string;
  size: number;
  tags: string[];
  /** The manifest that it refers to, or the index that it waits for; null for the one that was asked about. */
  about: number | null;
  /** What it refers to. */
  aboutDigest: Buffer | null;
  /** It has a tag that says something else than that digest. */
  named: boolean;
  held: boolean;
  /** Live indexes that list it. */
  parents: number[];
}

/** How clients without the referrers API, and cosign, call what is about a digest; with `.` and more behind it. */
const namedAfter = (digest: Sql): Sql => sql`(case get_byte(${digest}, 0) when 1 then 'sha256-' else 'sha512-' end
  || left(encode(substr(${digest}, 2), 'hex'), 64)) collate "C"`;

/**
 * The manifest, and all that refers to it, by its subject or by a tag that says its digest (`sha256-<hex>.sig`), and what refers
 * to that: each as often as it refers to something. Also what an index among them lists that refers to something which is gone
 * for good already: it waits for that index.
 */
export function selectDependents(
  db: Queryable,
  repositoryId: number,
  id: number,
  limit: number,
): Promise<DependentRow[]> {
  const isNamedAfter = (digest: Sql): Sql =>
    sql`(t.name = ${namedAfter(digest)} or (t.name > ${namedAfter(digest)} || '.' and t.name < ${namedAfter(digest)} || '/'))`;
  return db.query<DependentRow>(sql`
    with recursive edges (id, digest, about, about_digest) as (
      select id, digest, null::bigint, null::bytea from manifests where id = ${id}
      union
      select m.id, m.digest, edges.id, m.about
      from edges join lateral (
        select m.id, m.digest, edges.digest as about from manifests m
        where m.repository_id = ${repositoryId} and m.subject_digest = edges.digest and m.deleted_at is null
        union
        select m.id, m.digest, edges.digest from tags t join manifests m on m.id = t.manifest_id
        where t.repository_id = ${repositoryId} and ${isNamedAfter(sql`edges.digest`)}
        union
        select m.id, m.digest, s.digest from manifest_children c
        join manifests m on m.repository_id = ${repositoryId} and m.digest = c.child_digest and m.deleted_at is null
        join subject_reviews s on s.repository_id = ${repositoryId}
        where c.manifest_id = edges.id
          and (m.subject_digest = s.digest and m.created_at <= s.gone_at
               or exists (select from tags t where t.manifest_id = m.id and t.updated_at <= s.gone_at
                            and ${isNamedAfter(sql`s.digest`)}))
      ) m on true
    )
    select e.id, e.digest, m.kind, m.size, e.about, e.about_digest as "aboutDigest",
           array(select t.name::text from tags t where t.manifest_id = e.id order by t.name) as tags,
           exists (select from tags t where t.manifest_id = e.id and not ${isNamedAfter(sql`e.about_digest`)}) as named,
           exists (select from holds h
                   where h.manifest_id = e.id and (h.expires_at is null or h.expires_at > now())) as held,
           to_json(array(select p.id from manifest_children c join manifests p on p.id = c.manifest_id and p.deleted_at is null
                         where c.repository_id = ${repositoryId} and c.child_digest = e.digest)) as parents
    from edges e join manifests m on m.id = e.id
    order by e.about nulls first, e.id limit ${limit}`);
}

/** Live manifests that only what goes leads to: they stay, without a tag or an index that names them. */
export async function selectUnreachable(
  db: Queryable,
  repositoryId: number,
  going: readonly number[],
  limit: number,
): Promise<{ digest: Buffer; kind: string }[]> {
  return db.query(sql`
    with recursive below (id) as (
      select m.id from manifest_children c
      join manifests m on m.repository_id = ${repositoryId} and m.digest = c.child_digest and m.deleted_at is null
      where c.manifest_id = any (${going}::bigint[])
      union
      select m.id from below join manifest_children c on c.manifest_id = below.id
      join manifests m on m.repository_id = ${repositoryId} and m.digest = c.child_digest and m.deleted_at is null
    ), kept (id) as (
      select b.id from below b join manifests m on m.id = b.id
      where exists (select from tags t where t.manifest_id = b.id)
         or exists (select from manifest_children c join manifests p on p.id = c.manifest_id and p.deleted_at is null
                    where c.repository_id = ${repositoryId} and c.child_digest = m.digest
                      and c.manifest_id <> all (${going}::bigint[]) and c.manifest_id not in (select id from below))
      union
      select m.id from kept join manifest_children c on c.manifest_id = kept.id
      join manifests m on m.repository_id = ${repositoryId} and m.digest = c.child_digest and m.deleted_at is null
    )
    select m.digest, m.kind from manifests m
    where m.id in (select id from below) and m.id not in (select id from kept) and m.id <> all (${going}::bigint[])
    order by m.id limit ${limit}`);
}

export interface FreedRow {
  blobs: number;
  bytes: number;
  projectBlobs: number;
  projectBytes: number;
  storeBlobs: number;
  storeBytes: number;
}

/**
 * Blobs that only what goes needs: in the repository, and of those the ones that no other repository of the project, and none
 * at all, has a use for. What is in the trash already goes anyway, so it is no use; a lease is.
 */
export async function selectFreed(db: Queryable, repositoryId: number, going: readonly number[]): Promise<FreedRow> {
  const row = await db.first<FreedRow>(sql`
    with freed as (
      select distinct b.id, b.size from manifest_blobs mb join blobs b on b.id = mb.blob_id
      where mb.repository_id = ${repositoryId} and mb.manifest_id = any (${going}::bigint[])
        and not exists (select from manifest_blobs other join manifests m on m.id = other.manifest_id and m.deleted_at is null
                        where other.repository_id = ${repositoryId} and other.blob_id = mb.blob_id
                          and other.manifest_id <> all (${going}::bigint[]))
        and not exists (select from file_entries e where e.repository_id = ${repositoryId} and e.blob_id = mb.blob_id)
    ), elsewhere as (
      select f.id, bool_or(r.project_id = here.project_id) as in_project
      from freed f join repository_blobs rb on rb.blob_id = f.id and rb.repository_id <> ${repositoryId} and rb.deleted_at is null
      join repositories r on r.id = rb.repository_id join repositories here on here.id = ${repositoryId}
      where rb.leased_until > now()
         or exists (select from manifest_blobs mb join manifests m on m.id = mb.manifest_id and m.deleted_at is null
                    where mb.repository_id = rb.repository_id and mb.blob_id = f.id)
         or exists (select from file_entries e where e.repository_id = rb.repository_id and e.blob_id = f.id)
      group by f.id
    )
    select count(*) as blobs, coalesce(sum(f.size), 0)::bigint as bytes,
           count(*) filter (where e.id is null or not e.in_project) as "projectBlobs",
           coalesce(sum(f.size) filter (where e.id is null or not e.in_project), 0)::bigint as "projectBytes",
           count(*) filter (where e.id is null) as "storeBlobs",
           coalesce(sum(f.size) filter (where e.id is null), 0)::bigint as "storeBytes"
    from freed f left join elsewhere e on e.id = f.id`);
  return row as FreedRow;
}
