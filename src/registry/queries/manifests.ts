import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface ManifestRow {
  id: number;
  digest: Buffer;
  media_type: string;
  payload: Buffer;
  /** Seconds of the lease that remain. */
  leased_for: number;
}

export function selectManifest(db: Queryable, repositoryId: number, digest: Buffer): Promise<ManifestRow | undefined> {
  return db.first<ManifestRow>(sql`
    select m.id, m.digest, m.media_type, p.payload, extract(epoch from m.leased_until - now())::float8 as leased_for
    from manifests m join manifest_payloads p on p.manifest_id = m.id
    where m.repository_id = ${repositoryId} and m.digest = ${digest} and m.deleted_at is null`);
}

/** Begins the lease anew. False when the manifest is gone or deleted meanwhile. */
export async function renewManifestLease(db: Queryable, id: number, lease: number): Promise<boolean> {
  const row = await db.first(sql`
    update manifests set leased_until = greatest(leased_until, now() + make_interval(secs => ${lease}))
    where id = ${id} and deleted_at is null returning 1 as ok`);
  return row !== undefined;
}

/** Of a live manifest. */
export async function selectManifestId(
  db: Queryable,
  repositoryId: number,
  digest: Buffer,
): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`
    select id from manifests where repository_id = ${repositoryId} and digest = ${digest} and deleted_at is null`);
  return row?.id;
}

export interface KnownBlob {
  name: Buffer;
  blob_id: number;
  size: number;
}

/**
 * Those of `digests` that are in the repository, by whatever digest they were asked for. The sub-select hides from the planner how
 * many there are, and `limit 1` that a plan for any repository names all sixteen partitions, of which it looks into one: a plan
 * for the digests and the repository at hand would look so much cheaper to it that it would plan each time anew, for 0.2 ms.
 */
export function selectKnownBlobs(
  db: Queryable,
  repositoryId: number,
  digests: readonly Buffer[],
): Promise<KnownBlob[]> {
  return db.query<KnownBlob>(sql`
    select w.name, named.id as blob_id, named.size
    from unnest((select ${digests}::bytea[])) as w (name)
    cross join lateral (select id, size from blobs where digest = w.name union all
                        select b.id, b.size from blob_digests d join blobs b on b.id = d.blob_id where d.digest = w.name
                        limit 1) named
    cross join lateral (select from repository_blobs
                        where repository_id = ${repositoryId} and blob_id = named.id and deleted_at is null limit 1) linked`);
}

export interface KnownManifest {
  id: number;
  digest: Buffer;
  size: number;
}

/** Those of `digests` that are live manifests of the repository, locked against deletion until the transaction ends. */
export function lockManifests(
  db: Queryable,
  repositoryId: number,
  digests: readonly Buffer[],
): Promise<KnownManifest[]> {
  return db.query<KnownManifest>(sql`
    select id, digest, size from manifests
    where repository_id = ${repositoryId} and digest = any (${digests}::bytea[]) and deleted_at is null
    order by id for key share`);
}

export interface NewManifest {
  repositoryId: number;
  digest: Buffer;
  mediaType: string;
  kind: string;
  artifactType: string | null;
  size: number;
  configDigest: Buffer | null;
  subjectDigest: Buffer | null;
  annotations: string | null;
  pushedBy: number | null;
  payload: Buffer;
  /** Seconds in which no rule and no clean-up removes it. */
  lease: number;
}

/** The row with its payload; one that was deleted comes back as it was. */
export async function upsertManifest(
  db: Queryable,
  m: NewManifest,
): Promise<{ id: number; created: boolean; media_type: string }> {
  const row = await db.first<{ id: number; created: boolean; media_type: string }>(sql`
    with written as (
      insert into manifests as m (repository_id, digest, media_type, kind, artifact_type, size, config_digest,
                                  subject_digest, annotations, pushed_by, leased_until)
      values (${m.repositoryId}, ${m.digest}, ${m.mediaType}, ${m.kind}, ${m.artifactType}, ${m.size}, ${m.configDigest},
              ${m.subjectDigest}, ${m.annotations}, ${m.pushedBy}, now() + make_interval(secs => ${m.lease}))
      on conflict (repository_id, digest) do update
        set deleted_at = null, leased_until = greatest(m.leased_until, excluded.leased_until)
      returning id, (xmax = 0) as created, media_type
    ), back as (
      delete from deletions using written where manifest_id = written.id and not created
    ), body as (
      insert into manifest_payloads (manifest_id, payload) select id, ${m.payload}::bytea from written where created
    )
    select id, created, media_type from written`);
  return row as { id: number; created: boolean; media_type: string };
}

/** The references by which the manifest keeps what it needs. Blob ids in order, so that two pushes never deadlock. */
export async function insertReferences(
  db: Queryable,
  repositoryId: number,
  manifestId: number,
  refs: { blobIds: readonly number[]; missing: readonly Buffer[]; children: readonly Buffer[] },
): Promise<void> {
  await db.query(sql`
    with blobs as (
      insert into manifest_blobs (repository_id, blob_id, manifest_id)
      select ${repositoryId}::bigint, id, ${manifestId}::bigint
      from unnest(${refs.blobIds}::bigint[]) as b (id) order by id
      on conflict do nothing
    ), missing as (
      insert into manifest_missing_blobs (repository_id, digest, manifest_id)
      select ${repositoryId}::bigint, digest, ${manifestId}::bigint from unnest(${refs.missing}::bytea[]) as b (digest)
      on conflict do nothing
    )
    insert into manifest_children (repository_id, child_digest, manifest_id)
    select ${repositoryId}::bigint, digest, ${manifestId}::bigint from unnest(${refs.children}::bytea[]) as c (digest)
    on conflict do nothing`);
}

/**
 * How many of the links are live; they stay so until the transaction ends, because a delete and a collection lock the link for
 * update. Called before the references are inserted: their foreign key would meet a link that was collected meanwhile with an
 * error. And it alone would not do: references of a manifest that comes back from deletion are there already.
 */
export async function lockLiveLinks(db: Queryable, repositoryId: number, blobIds: readonly number[]): Promise<number> {
  const rows = await db.query(sql`
    select blob_id from repository_blobs
    where repository_id = ${repositoryId} and blob_id = any (${blobIds}::bigint[]) and deleted_at is null
    order by blob_id for key share`);
  return rows.length;
}

/** Locks a live manifest against everyone who would refer to it. */
export function lockManifestForDelete(
  db: Queryable,
  repositoryId: number,
  digest: Buffer,
): Promise<{ id: number } | undefined> {
  return db.first<{ id: number }>(sql`
    select id from manifests where repository_id = ${repositoryId} and digest = ${digest} and deleted_at is null
    for update`);
}

/** A live index that lists the digest. */
export function selectParent(
  db: Queryable,
  repositoryId: number,
  child: Buffer,
): Promise<{ digest: Buffer } | undefined> {
  return db.first<{ digest: Buffer }>(sql`
    select m.digest from manifest_children c join manifests m on m.id = c.manifest_id
    where c.repository_id = ${repositoryId} and c.child_digest = ${child} and m.deleted_at is null limit 1`);
}

export interface Deletion {
  readonly reason: 'request' | 'retention' | 'orphan';
  /** What decided it, such as a run of retention. */
  readonly runId: number | null;
  readonly actorId: number | null;
}

/** Puts manifests into the trash, each with the tags that were taken from it. The caller holds their locks. */
export async function hideManifests(
  db: Queryable,
  repositoryId: number,
  manifests: readonly { readonly id: number; readonly tags: readonly string[] }[],
  deletion: Deletion,
): Promise<void> {
  const ids = manifests.map(({ id }) => id);
  const tags = manifests.map((each) => JSON.stringify(each.tags));
  await db.query(sql`
    with hidden as (
      update manifests set deleted_at = now() where id = any (${ids}::bigint[]) and deleted_at is null returning id
    )
    insert into deletions (manifest_id, repository_id, reason, run_id, actor_id, tags)
    select hidden.id, ${repositoryId}::bigint, ${deletion.reason}, ${deletion.runId}::bigint, ${deletion.actorId}::bigint,
           array(select jsonb_array_elements_text(w.tags::jsonb))
    from hidden join unnest(${ids}::bigint[], ${tags}::text[]) as w (id, tags) on w.id = hidden.id
    on conflict (manifest_id) do nothing`);
}

export interface ReferrerRow {
  id: number;
  digest: Buffer;
  media_type: string;
  size: number;
  artifact_type: string | null;
  annotations: Record<string, string> | null;
  /** Whether others may follow this one. */
  more: boolean;
}

/**
 * Live manifests whose subject is `subject`, oldest first, after the given id: `limit` of them, or fewer when their payloads
 * together pass `bytes`, which bounds the annotations that come along.
 */
export function selectReferrers(
  db: Queryable,
  repositoryId: number,
  subject: Buffer,
  page: { artifactTypes: readonly string[] | null; after: number; limit: number; bytes: number },
): Promise<ReferrerRow[]> {
  return db.query<ReferrerRow>(sql`
    select id, digest, media_type, size, artifact_type, annotations, total < all_of_them or fetched = ${page.limit} as more
    from (select *, sum(size) over (order by id) as total, sum(size) over () as all_of_them, count(*) over () as fetched from (
            select * from manifests
            where repository_id = ${repositoryId} and subject_digest = ${subject} and deleted_at is null
              and id > ${page.after}
              and (${page.artifactTypes}::text[] is null or artifact_type = any (${page.artifactTypes}))
            order by id limit ${page.limit}) first) summed
    where total - size < ${page.bytes}
    order by id`);
}
