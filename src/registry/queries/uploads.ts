import sql from 'sql-template-tag';
import type { Algorithm } from '../../blobs/digest.ts';
import { originText } from '../../jobs/outbox.ts';
import type { Queryable } from '../../db/database.ts';

export interface UploadRow {
  id: string;
  key: string;
  state: unknown;
  size: number;
  sha256: Buffer | null;
  sha512: Buffer | null;
  algorithm: Algorithm;
}

/** An upload under the reader's own claim. */
export interface ClaimedRow extends UploadRow {
  /** Whether the writer before gave the upload back itself, so that what the row says is all there is. */
  inherited: boolean;
}

/** A claim that was not renewed for this long belongs to a writer that is gone. */
export const CLAIM_SECONDS = 60;

/** Names the key before its first byte exists. */
export async function insertUpload(
  db: Queryable,
  upload: { id: string; repositoryId: number; principalId: number; store: string; key: string; algorithm: Algorithm },
): Promise<void> {
  await db.query(sql`
    insert into uploads (id, repository_id, principal_id, store, key, algorithm)
    values (${upload.id}, ${upload.repositoryId}, ${upload.principalId || null}, ${upload.store}, ${upload.key},
            ${upload.algorithm})`);
}

/** The upload, by (repository, principal, id): somebody else's looks like none. */
export function selectUpload(
  db: Queryable,
  where: { id: string; repositoryId: number; principalId: number },
): Promise<(UploadRow & { claimed: boolean }) | undefined> {
  return db.first<UploadRow & { claimed: boolean }>(sql`
    select id, key, state, size, sha256, sha512, algorithm, writer is not null as claimed from uploads
    where id = ${where.id} and repository_id = ${where.repositoryId} and coalesce(principal_id, 0) = ${where.principalId}`);
}

/**
 * Takes the right to append, unless another writer has it. From a writer that vanished nothing is believed but the bytes:
 * it may have written after the row was last told, so the digests are forgotten and `inherited` is false.
 */
export function claimUpload(
  db: Queryable,
  where: { id: string; repositoryId: number; principalId: number },
  writer: string,
  worker: string,
): Promise<ClaimedRow | undefined> {
  return db.first<ClaimedRow>(sql`
    with free as (
      select id, writer is null as inherited from uploads
      where id = ${where.id} and repository_id = ${where.repositoryId}
        and coalesce(principal_id, 0) = ${where.principalId}
        and (writer is null or writer_seen < now() - make_interval(secs => ${CLAIM_SECONDS}))
      for update
    )
    update uploads u
    set writer = ${writer}, writer_worker = ${worker}, writer_seen = now(), touched_at = now(),
        sha256 = case when free.inherited then u.sha256 end, sha512 = case when free.inherited then u.sha512 end
    from free where u.id = free.id
    returning u.id, key, state, size, sha256, sha512, algorithm, free.inherited`);
}

/** False when the claim was lost. */
export async function renewClaim(db: Queryable, id: string, writer: string): Promise<boolean> {
  const row = await db.first(sql`
    update uploads set writer_seen = now(), touched_at = now() where id = ${id} and writer = ${writer} returning 1 as ok`);
  return row !== undefined;
}

/**
 * Gives the claim back and, when something was appended, remembers it; room that was taken for more than came is given back, too.
 * False when the claim was lost meanwhile.
 */
export async function releaseUpload(
  db: Queryable,
  id: string,
  writer: string,
  progress?: { size: number; state: unknown; sha256: Buffer | null; sha512: Buffer | null },
): Promise<boolean> {
  const row = progress
    ? await db.first(sql`
        update uploads set writer = null, writer_seen = null, touched_at = now(), size = ${progress.size},
               reserved = least(reserved, ${progress.size}::bigint),
               state = ${JSON.stringify(progress.state)}, sha256 = ${progress.sha256}, sha512 = ${progress.sha512}
        where id = ${id} and writer = ${writer} returning 1 as ok`)
    : await db.first(sql`
        update uploads set writer = null, writer_seen = null, touched_at = now(), reserved = least(reserved, size)
        where id = ${id} and writer = ${writer} returning 1 as ok`);
  return row !== undefined;
}

/**
 * Frees the claims of writers that are known to be gone: one worker of this host that ended, or, when the data folder's
 * lock proves that no other hub is alive, all of them.
 */
export async function freeClaims(db: Queryable, worker?: string): Promise<void> {
  await db.query(sql`
    update uploads set writer = null, writer_seen = null
    where writer is not null and (${worker ?? null}::uuid is null or writer_worker = ${worker ?? null}::uuid)`);
}

/** Drops an upload; its object dies in the same statement. False when it is not there or being written. */
export async function deleteUpload(
  db: Queryable,
  where: { id: string; repositoryId: number; principalId: number },
  writer: string | undefined,
  reason: string,
): Promise<boolean> {
  const row = await db.first(sql`
    with gone as (
      delete from uploads
      where id = ${where.id} and repository_id = ${where.repositoryId} and coalesce(principal_id, 0) = ${where.principalId}
        and (writer is not distinct from ${writer ?? null}::uuid
             or (${writer ?? null}::uuid is null and writer_seen < now() - make_interval(secs => ${CLAIM_SECONDS})))
      returning key, store, size
    )
    insert into dead_objects (key, store, reason, delete_after, size) select key, store, ${reason}, now(), size from gone
    returning 1 as ok`);
  return row !== undefined;
}

/** Drops uploads that nobody touched for `idleSeconds`, at most `limit`; their objects die with them. */
export async function reapUploads(db: Queryable, idleSeconds: number, limit: number): Promise<number> {
  const rows = await db.query(sql`
    with idle as (
      select id from uploads
      where touched_at < now() - make_interval(secs => ${idleSeconds})
        and (writer is null or writer_seen < now() - make_interval(secs => ${CLAIM_SECONDS}))
      order by touched_at limit ${limit} for update skip locked
    ), gone as (
      delete from uploads using idle where uploads.id = idle.id returning key, store, size
    )
    insert into dead_objects (key, store, reason, delete_after, size) select key, store, 'idle upload', now(), size from gone
    returning 1 as ok`);
  return rows.length;
}

export interface BlobCommit {
  readonly uploadId: string;
  readonly writer: string;
  readonly repositoryId: number;
  readonly projectId: number;
  readonly actorId: number;
  readonly requestId: string;
  readonly sha256: Buffer;
  readonly sha512: Buffer | null;
  readonly size: number;
  readonly digest: string;
  /** Seconds that the link stays whatever happens, other than a delete. */
  readonly lease: number;
  /** Keys that the store has to get rid of besides. */
  readonly leftovers: readonly string[];
}

/**
 * The commit of an uploaded blob, in one statement, which is one transaction: the upload row goes, the blob row and the
 * repository's link come, sparse manifests that waited for it are bound to it, a duplicate's object dies, the event is
 * written. Everything hangs on `gone`: a writer that lost its claim changes nothing.
 * @returns the blob's id, or undefined when the claim was lost
 */
export async function commitBlob(db: Queryable, blob: BlobCommit): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    with gone as (
      delete from uploads where id = ${blob.uploadId} and writer = ${blob.writer} returning key, store
    ), blob as (
      insert into blobs (digest, size, store, key) select ${blob.sha256}::bytea, ${blob.size}::bigint, store, key from gone
      on conflict (digest) do update set size = blobs.size
      returning id, key
    ), dead as (
      insert into dead_objects (key, store, reason, delete_after, size)
      select gone.key, gone.store, 'duplicate', now(), ${blob.size}::bigint from gone, blob where gone.key <> blob.key
    ), leftover as (
      insert into dead_objects (key, store, reason, delete_after)
      select left_key, gone.store, 'leftover', now() from gone, unnest(${blob.leftovers}::text[]) as l (left_key)
      on conflict do nothing
    ), other_name as (
      insert into blob_digests (digest, blob_id) select ${blob.sha512}::bytea, id from blob where ${blob.sha512}::bytea is not null
      on conflict do nothing
    ), link as (
      insert into repository_blobs as rb (repository_id, blob_id, leased_until)
      select ${blob.repositoryId}::bigint, id, now() + make_interval(secs => ${blob.lease}) from blob
      on conflict (repository_id, blob_id) do update
        set deleted_at = null, state = 'present', leased_until = greatest(rb.leased_until, excluded.leased_until)
      returning blob_id
    ), awaited as (
      delete from manifest_missing_blobs m
      where m.repository_id = ${blob.repositoryId} and m.digest in (${blob.sha256}::bytea, ${blob.sha512}::bytea)
        and exists (select 1 from gone)
      returning m.manifest_id
    ), bound as (
      insert into manifest_blobs (repository_id, blob_id, manifest_id)
      select ${blob.repositoryId}::bigint, link.blob_id, awaited.manifest_id from link, awaited
      on conflict do nothing
    ), event as (
      insert into events (type, project_id, repository_id, actor_id, request_id, data, origin)
      select 'dev.berth.blob.pushed', ${blob.projectId}::bigint, ${blob.repositoryId}::bigint,
             ${blob.actorId || null}::bigint, ${blob.requestId},
             jsonb_build_object('digest', ${blob.digest}::text, 'size', ${blob.size}::bigint), ${originText()}::jsonb
      from gone
    )
    select id from blob`);
  return row?.id;
}
