/** Manifests on their way back from the trash. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** The manifests, and all that they list that is in the trash, with live ones that those list: in the order of ids. */
export async function selectNeeded(db: Queryable, repositoryId: number, ids: readonly number[]): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    with recursive needed (id, gone) as (
      select id, deleted_at is not null from manifests where repository_id = ${repositoryId} and id = any (${ids}::bigint[])
      union
      select child.id, child.deleted_at is not null
      from needed join manifest_children c on needed.gone and c.manifest_id = needed.id
      join manifests child on child.repository_id = ${repositoryId} and child.digest = c.child_digest
    )
    select id from needed order by id`);
  return rows.map(({ id }) => id);
}

export interface RestorableRow {
  id: number;
  digest: Buffer;
  kind: string;
  gone: boolean;
}

/** Locked against being deleted, purged or restored by somebody else; those that were purged meanwhile are missing. */
export function lockForRestore(tx: Transaction, ids: readonly number[]): Promise<RestorableRow[]> {
  return tx.query<RestorableRow>(sql`
    select id, digest, kind, deleted_at is not null as gone from manifests where id = any (${ids}::bigint[])
    order by id for no key update`);
}

/** Something that one of the manifests lists and that is here neither as a manifest nor as a blob. */
export function selectAbsentChild(
  db: Queryable,
  repositoryId: number,
  ids: readonly number[],
): Promise<{ parent: Buffer; child: Buffer } | undefined> {
  return db.first<{ parent: Buffer; child: Buffer }>(sql`
    select m.digest as parent, c.child_digest as child
    from manifest_children c join manifests m on m.id = c.manifest_id
    where c.manifest_id = any (${ids}::bigint[])
      and not exists (select from manifests child
                      where child.repository_id = ${repositoryId} and child.digest = c.child_digest)
      and not exists (select from (select id from blobs where digest = c.child_digest
                                   union all select blob_id from blob_digests where digest = c.child_digest) named
                      join repository_blobs rb on rb.repository_id = ${repositoryId} and rb.blob_id = named.id)
    limit 1`);
}

/**
 * Holds the links that the manifests need, and shows those again that were deleted while the manifests were in the trash: the
 * foreign key has kept them.
 */
export async function showLinks(tx: Transaction, repositoryId: number, ids: readonly number[]): Promise<void> {
  const needed = sql`select blob_id from manifest_blobs
                     where repository_id = ${repositoryId} and manifest_id = any (${ids}::bigint[])`;
  await tx.query(sql`
    select 1 from repository_blobs where repository_id = ${repositoryId} and blob_id in (${needed})
    order by blob_id for key share`);
  await tx.query(sql`
    update repository_blobs set deleted_at = null
    where repository_id = ${repositoryId} and blob_id in (${needed}) and deleted_at is not null`);
}

/** Takes them out of the trash; returns the tags that they had when they came into it. */
export function showManifests(
  tx: Transaction,
  ids: readonly number[],
  leaseSeconds: number,
): Promise<{ id: number; tags: string[] }[]> {
  return tx.query<{ id: number; tags: string[] }>(sql`
    with back as (
      update manifests
      set deleted_at = null, leased_until = greatest(leased_until, now() + make_interval(secs => ${leaseSeconds}))
      where id = any (${ids}::bigint[]) and deleted_at is not null returning id
    ), gone as (
      delete from deletions using back where manifest_id = back.id returning manifest_id, tags
    )
    select back.id, coalesce(gone.tags, '{}') as tags from back left join gone on gone.manifest_id = back.id`);
}

export interface StoredRow {
  id: number;
  digest: Buffer;
  media_type: string;
  kind: string;
  payload: Buffer;
  gone: boolean;
}

/** Whatever is still here of the digests, live or in the trash. */
export function selectStored(db: Queryable, repositoryId: number, digests: readonly Buffer[]): Promise<StoredRow[]> {
  return db.query<StoredRow>(sql`
    select m.id, m.digest, m.media_type, m.kind, p.payload, m.deleted_at is not null as gone
    from manifests m join manifest_payloads p on p.manifest_id = m.id
    where m.repository_id = ${repositoryId} and m.digest = any (${digests}::bytea[]) order by m.id`);
}

/** Whether the tag has ever pointed there. */
export async function everPointedAt(
  db: Queryable,
  repositoryId: number,
  tag: string,
  digest: Buffer,
): Promise<boolean> {
  const row = await db.first(sql`
    select 1 as ok from tag_history
    where repository_id = ${repositoryId} and name = ${tag} and (new_digest = ${digest} or old_digest = ${digest}) limit 1`);
  return row !== undefined;
}

/** One manifest with its payload, if it is of such a kind. */
export function selectStoredById(db: Queryable, id: number, kinds: readonly string[]): Promise<StoredRow | undefined> {
  return db.first<StoredRow>(sql`
    select m.id, m.digest, m.media_type, m.kind, p.payload, m.deleted_at is not null as gone
    from manifests m join manifest_payloads p on p.manifest_id = m.id
    where m.id = ${id} and m.kind = any (${kinds}::text[])`);
}
