import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';
import { PATH } from './paths.ts';

export interface BlobRow {
  id: number;
  size: number;
  key: string;
  /** Seconds of the lease that remain. */
  leased_for: number;
}

/** A blob by any of its digests, in one repository. */
export function selectBlob(db: Queryable, repositoryId: number, digest: Buffer): Promise<BlobRow | undefined> {
  return db.first<BlobRow>(sql`
    select b.id, b.size, b.key, extract(epoch from rb.leased_until - now())::float8 as leased_for
    from (select id from blobs where digest = ${digest} union all
          select blob_id from blob_digests where digest = ${digest} limit 1) named
    join blobs b on b.id = named.id
    join repository_blobs rb on rb.repository_id = ${repositoryId} and rb.blob_id = b.id
    where rb.deleted_at is null and rb.state = 'present'`);
}

/** Begins the lease anew. False when the link is gone or deleted meanwhile. */
export async function renewLease(db: Queryable, repositoryId: number, blobId: number, lease: number): Promise<boolean> {
  const row = await db.first(sql`
    update repository_blobs
    set leased_until = greatest(leased_until, now() + make_interval(secs => ${lease}))
    where repository_id = ${repositoryId} and blob_id = ${blobId} and deleted_at is null returning 1 as ok`);
  return row !== undefined;
}

/** Locks the link against everyone who would use it. */
export function lockLink(
  db: Queryable,
  repositoryId: number,
  digest: Buffer,
): Promise<{ blob_id: number } | undefined> {
  return db.first<{ blob_id: number }>(sql`
    select rb.blob_id from repository_blobs rb
    where rb.repository_id = ${repositoryId} and rb.deleted_at is null
      and rb.blob_id = (select id from blobs where digest = ${digest} union all
                        select blob_id from blob_digests where digest = ${digest} limit 1)
    for update`);
}

/** A live manifest that needs the blob. */
export function selectUserOfBlob(
  db: Queryable,
  repositoryId: number,
  blobId: number,
): Promise<{ digest: Buffer } | undefined> {
  return db.first<{ digest: Buffer }>(sql`
    select m.digest from manifest_blobs mb join manifests m on m.id = mb.manifest_id
    where mb.repository_id = ${repositoryId} and mb.blob_id = ${blobId} and m.deleted_at is null limit 1`);
}

export async function hideLink(db: Queryable, repositoryId: number, blobId: number): Promise<void> {
  await db.query(sql`
    update repository_blobs set deleted_at = now() where repository_id = ${repositoryId} and blob_id = ${blobId}`);
}

export interface CandidateRow {
  repository_id: number;
  path: string;
  blob_id: number;
}

/**
 * Repositories that a blob could be mounted from: the named one, or else up to `limit`, first of the same project, then
 * of public projects. Each kind stops at the limit by itself, so that a blob with 10^5 links costs what one with 50 does. The
 * named one is one at most; `limit 1` is for the planner, as in `selectKnownBlobs`.
 */
export function selectMountCandidates(
  db: Queryable,
  digest: Buffer,
  where: { fromId: number | null; projectId: number; limit: number },
): Promise<CandidateRow[]> {
  const named = sql`(select id from blobs where digest = ${digest} union all
                     select blob_id from blob_digests where digest = ${digest} limit 1)`;
  const columns = sql`r.id as repository_id, ${PATH} as path, rb.blob_id`;
  const live = sql`rb.deleted_at is null and rb.state = 'present'`;
  if (where.fromId !== null) {
    return db.query<CandidateRow>(sql`
      select ${columns} from repositories r
      cross join lateral (select rb.blob_id from repository_blobs rb
                          where rb.repository_id = ${where.fromId} and rb.blob_id = ${named} and ${live} limit 1) rb
      where r.id = ${where.fromId}`);
  }
  return db.query<CandidateRow>(sql`
    (select ${columns} from repositories r
     join repository_blobs rb on rb.repository_id = r.id and rb.blob_id = ${named} and ${live}
     where r.project_id = ${where.projectId} limit ${where.limit})
    union all
    (select repository_id, p.name || substr(path, length(p.root) + 1), blob_id from (
       select r.id as repository_id, r.path, rb.blob_id, r.project_id
       from repository_blobs rb join repositories r on r.id = rb.repository_id
       where rb.blob_id = ${named} and ${live} limit 1000) links
     join projects p on p.id = links.project_id and p.visibility = 'public' and p.id <> ${where.projectId}
     limit ${where.limit})
    limit ${where.limit}`);
}

/**
 * Links the blob to another repository while the source's link is held, so that a delete at the source cannot slip in
 * between. False when the source is gone.
 */
export async function insertMount(
  db: Queryable,
  mount: { fromRepositoryId: number; repositoryId: number; blobId: number; lease: number },
): Promise<boolean> {
  const row = await db.first(sql`
    with source as (
      select blob_id from repository_blobs
      where repository_id = ${mount.fromRepositoryId} and blob_id = ${mount.blobId} and deleted_at is null
      for key share
    ), link as (
      insert into repository_blobs as rb (repository_id, blob_id, leased_until)
      select ${mount.repositoryId}::bigint, blob_id, now() + make_interval(secs => ${mount.lease}) from source
      on conflict (repository_id, blob_id) do update
        set deleted_at = null, state = 'present', leased_until = greatest(rb.leased_until, excluded.leased_until)
      returning blob_id
    ), awaited as (
      delete from manifest_missing_blobs m
      where m.repository_id = ${mount.repositoryId} and exists (select 1 from source)
        and m.digest in (select digest from blobs where id = ${mount.blobId}
                         union all select digest from blob_digests where blob_id = ${mount.blobId})
      returning m.manifest_id
    ), bound as (
      insert into manifest_blobs (repository_id, blob_id, manifest_id)
      select ${mount.repositoryId}::bigint, link.blob_id, awaited.manifest_id from link, awaited on conflict do nothing
    )
    select 1 as ok from link`);
  return row !== undefined;
}
