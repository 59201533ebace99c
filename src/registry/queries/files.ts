import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export interface VersionRow {
  id: number;
  properties: Record<string, string>;
  files: number;
  weight: number;
  updated_by: number | null;
  final: boolean;
  /** It was pushed as a manifest before it was changed here. */
  adopted: boolean;
}

/** The rows of a version, when it has been made or changed file by file. Its tag's lock is the version's lock. */
export function selectVersion(db: Queryable, repositoryId: number, name: string): Promise<VersionRow | undefined> {
  return db.first<VersionRow>(sql`
    select id, properties, files, weight, updated_by, finalised_at is not null as final, adopted from file_versions
    where repository_id = ${repositoryId} and name = ${name}`);
}

export async function insertVersion(
  tx: Transaction,
  version: { repositoryId: number; name: string; properties: string; actorId: number | null; adopted?: boolean },
): Promise<number> {
  const row = await tx.first<{ id: number }>(sql`
    insert into file_versions (repository_id, name, properties, updated_by, adopted)
    values (${version.repositoryId}, ${version.name}, ${version.properties}::jsonb, ${version.actorId},
            ${version.adopted ?? false}) returning id`);
  return (row as { id: number }).id;
}

export interface EntryRow {
  path: string;
  blob_id: number;
  digest: Buffer;
  size: number;
  media_type: string;
}

/** Every file of a version, in byte order. */
export function selectEntries(db: Queryable, repositoryId: number, name: string): Promise<EntryRow[]> {
  return db.query<EntryRow>(sql`
    select e.path, e.blob_id, b.digest, b.size, e.media_type
    from file_versions v join file_entries e on e.version_id = v.id join blobs b on b.id = e.blob_id
    where v.repository_id = ${repositoryId} and v.name = ${name} order by e.path`);
}

export function selectEntry(
  db: Queryable,
  repositoryId: number,
  name: string,
  path: string,
): Promise<EntryRow | undefined> {
  return db.first<EntryRow>(sql`
    select e.path, e.blob_id, b.digest, b.size, e.media_type
    from file_versions v join file_entries e on e.version_id = v.id and e.path = ${path} join blobs b on b.id = e.blob_id
    where v.repository_id = ${repositoryId} and v.name = ${name}`);
}

/** Those of `paths` that are files of the version. */
export function selectEntriesAt(db: Queryable, versionId: number, paths: readonly string[]): Promise<EntryRow[]> {
  return db.query<EntryRow>(sql`
    select e.path, e.blob_id, b.digest, b.size, e.media_type
    from file_entries e join blobs b on b.id = e.blob_id
    where e.version_id = ${versionId} and e.path = any (${paths}::text[])`);
}

/** A file that is inside one of `paths`, which therefore is a folder ('0' is the character after '/'). */
export function selectEntryInside(
  db: Queryable,
  versionId: number,
  paths: readonly string[],
): Promise<{ path: string } | undefined> {
  return db.first<{ path: string }>(sql`
    select inside.path from unnest(${paths}::text[]) as w (name)
    cross join lateral (select e.path from file_entries e
                        where e.version_id = ${versionId} and e.path > w.name || '/' collate "C"
                          and e.path < w.name || '0' collate "C" limit 1) inside
    limit 1`);
}

export interface LinkedBlob {
  blob_id: number;
  digest: Buffer;
  size: number;
}

/** Live blobs of the repository by sha256, held against deletion until the transaction ends. */
export function lockLinkedBlobs(
  tx: Transaction,
  repositoryId: number,
  digests: readonly Buffer[],
): Promise<LinkedBlob[]> {
  return tx.query<LinkedBlob>(sql`
    select rb.blob_id, b.digest, b.size from repository_blobs rb join blobs b on b.id = rb.blob_id
    where rb.repository_id = ${repositoryId} and rb.deleted_at is null
      and rb.blob_id in (select id from blobs where digest = any (${digests}::bytea[]))
    order by rb.blob_id for key share of rb`);
}

export interface EntryWrite {
  readonly versionId: number;
  readonly repositoryId: number;
  readonly name: string;
  readonly paths: readonly string[];
  readonly blobIds: readonly number[];
  readonly mediaTypes: readonly string[];
  readonly files: number;
  readonly weight: number;
  readonly actorId: number | null;
  /** Whether the tag's manifest does not say so yet. */
  readonly stale: boolean;
}

/** Adds or replaces files, counts them, and forgets what was left of cut uploads of the same files by the same person. */
export async function writeEntries(tx: Transaction, write: EntryWrite): Promise<void> {
  const partials = write.paths.map((path) => partialName(write.name, path));
  await tx.query(sql`
    with entry as (
      insert into file_entries (version_id, repository_id, path, blob_id, media_type)
      select ${write.versionId}::bigint, ${write.repositoryId}::bigint, path, blob_id, media_type
      from unnest(${write.paths}::text[], ${write.blobIds}::bigint[], ${write.mediaTypes}::text[])
           as w (path, blob_id, media_type)
      on conflict (version_id, path) do update
        set blob_id = excluded.blob_id, media_type = excluded.media_type, updated_at = now()
    ), version as (
      update file_versions
      set files = files + ${write.files}, weight = weight + ${write.weight}, updated_by = ${write.actorId}, updated_at = now()
      where id = ${write.versionId}
    ), finished as (
      update uploads set file = null
      where repository_id = ${write.repositoryId} and principal_id = ${write.actorId} and file = any (${partials}::text[])
    )
    update tags set stale = ${write.stale}, updated_by = ${write.actorId}, updated_at = now()
    where repository_id = ${write.repositoryId} and name = ${write.name}`);
}

export async function removeEntry(
  tx: Transaction,
  entry: {
    versionId: number;
    repositoryId: number;
    name: string;
    path: string;
    weight: number;
    actorId: number | null;
  },
): Promise<void> {
  await tx.query(sql`
    with entry as (
      delete from file_entries where version_id = ${entry.versionId} and path = ${entry.path}
    ), version as (
      update file_versions
      set files = files - 1, weight = weight - ${entry.weight}, updated_by = ${entry.actorId}, updated_at = now()
      where id = ${entry.versionId}
    )
    update tags set stale = true, updated_by = ${entry.actorId}, updated_at = now()
    where repository_id = ${entry.repositoryId} and name = ${entry.name}`);
}

/** Points the tag at the manifest that says what the files are now. */
export async function settleTag(
  tx: Transaction,
  tag: { repositoryId: number; name: string; manifestId: number },
): Promise<void> {
  await tx.query(sql`
    update tags set manifest_id = ${tag.manifestId}, stale = false
    where repository_id = ${tag.repositoryId} and name = ${tag.name}`);
}

export async function updateProperties(
  tx: Transaction,
  version: { id: number; repositoryId: number; name: string; properties: string; actorId: number | null },
): Promise<void> {
  await tx.query(sql`
    with version as (
      update file_versions
      set properties = ${version.properties}::jsonb, updated_by = ${version.actorId}, updated_at = now()
      where id = ${version.id}
    )
    update tags set stale = true, updated_by = ${version.actorId}, updated_at = now()
    where repository_id = ${version.repositoryId} and name = ${version.name}`);
}

export async function finaliseVersion(tx: Transaction, versionId: number): Promise<void> {
  await tx.query(sql`update file_versions set finalised_at = coalesce(finalised_at, now()) where id = ${versionId}`);
}

/** Whether something live refers to the manifest: by its subject, or by the tag names that cosign gives (`sha256-<hex>.sig`). */
export async function isReferredTo(db: Queryable, repositoryId: number, digest: Buffer, tag: string): Promise<boolean> {
  const row = await db.first(sql`
    select 1 as ok from manifests where repository_id = ${repositoryId} and subject_digest = ${digest} and deleted_at is null
    union all
    select 1 from tags where repository_id = ${repositoryId} and name >= ${tag}::text collate "C"
      and name < ${tag}::text || '/' collate "C"
    limit 1`);
  return row !== undefined;
}

/** A version that needs the blob as one of its files. */
export function selectVersionOfBlob(
  db: Queryable,
  repositoryId: number,
  blobId: number,
): Promise<{ name: string; path: string } | undefined> {
  return db.first<{ name: string; path: string }>(sql`
    select v.name, e.path from file_entries e join file_versions v on v.id = e.version_id
    where e.repository_id = ${repositoryId} and e.blob_id = ${blobId} limit 1`);
}

/** How an upload row names the file that it is for. */
export function partialName(version: string, path: string): string {
  return `${version}/${path}`;
}
