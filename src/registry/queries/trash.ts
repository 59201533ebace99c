/** What was deleted and is still here. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

export interface TrashRow {
  id: number;
  repository: string;
  digest: Buffer;
  kind: string;
  artifactType: string | null;
  size: number;
  tags: string[];
  reason: string | null;
  runId: number | null;
  actor: string | null;
  at: Date;
  /** `at`, in microseconds since 1970. */
  micros: number;
}

/** Newest first, of a project or one of its repositories. Of what an earlier version deleted there are no particulars. */
export function selectTrash(
  db: Queryable,
  where: { projectId: number; repository: string | null; before: { micros: number; id: number } | undefined },
  limit: number,
): Promise<TrashRow[]> {
  const { micros, id } = where.before ?? { micros: null, id: null };
  return db.query<TrashRow>(sql`
    select m.id, ${PATH} as repository, m.digest, m.kind, m.artifact_type as "artifactType", m.size,
           coalesce(d.tags, '{}') as tags, d.reason, d.run_id as "runId",
           (select name from principals where id = d.actor_id) as actor, m.deleted_at as at,
           (extract(epoch from m.deleted_at) * 1000000)::bigint as micros
    from repositories r join manifests m on m.repository_id = r.id and m.deleted_at is not null
    left join deletions d on d.manifest_id = m.id
    where r.project_id = ${where.projectId} and (${where.repository}::text is null or ${PATH} = ${where.repository})
      and (${micros}::bigint is null
           or (m.deleted_at, m.id) < (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::bigint))
    order by m.deleted_at desc, m.id desc limit ${limit}`);
}

/** In the trash of a repository, newest rows first, so that what lists others comes before them. */
export async function selectTrashIds(
  db: Queryable,
  repositoryId: number,
  below: number,
  limit: number,
): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    select id from manifests where repository_id = ${repositoryId} and deleted_at is not null and id < ${below}
    order by id desc limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Repositories of a project with something in the trash. */
export function selectReposWithTrash(
  db: Queryable,
  projectId: number,
  after: number,
  limit: number,
): Promise<{ id: number; path: string }[]> {
  return db.query(sql`
    select r.id, ${PATH} as path from repositories r
    where r.project_id = ${projectId} and r.id > ${after}
      and exists (select from manifests m where m.repository_id = r.id and m.deleted_at is not null)
    order by r.id limit ${limit}`);
}

/** By digest, in the trash. */
export async function selectTrashed(
  db: Queryable,
  repositoryId: number,
  digests: readonly Buffer[],
): Promise<{ id: number; digest: Buffer }[]> {
  return db.query(sql`
    select id, digest from manifests
    where repository_id = ${repositoryId} and digest = any (${digests}::bytea[]) and deleted_at is not null order by id`);
}

/**
 * What is in the trash and refers to these, by its subject or by a tag that says a digest (cosign's), and what refers to that
 * in turn.
 */
export async function selectTrashedReferrers(
  db: Queryable,
  repositoryId: number,
  ids: readonly number[],
  limit: number,
): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    with recursive about (id, digest) as (
      select id, digest from manifests where id = any (${ids}::bigint[])
      union
      select m.id, m.digest from about
      join lateral (
        select id, digest from manifests where repository_id = ${repositoryId} and subject_digest = about.digest and deleted_at is not null
        union all
        select t.id, t.digest from deletions d join manifests t on t.id = d.manifest_id and t.deleted_at is not null
        where d.repository_id = ${repositoryId} and get_byte(about.digest, 0) = 1
          and d.tags && array(select 'sha256-' || encode(substr(about.digest, 2), 'hex') || suffix
                              from unnest(array['', '.sig', '.att', '.sbom']) as s (suffix))
      ) m on true
    )
    select distinct id from about where id <> all (${ids}::bigint[]) order by id limit ${limit}`);
  return rows.map(({ id }) => id);
}

export interface PurgeRow {
  id: number;
  digest: Buffer;
}

/** Locked against restores, holds and pushes; those that came back or went meanwhile are missing. */
export function lockTrashed(tx: Transaction, ids: readonly number[]): Promise<PurgeRow[]> {
  return tx.query<PurgeRow>(sql`
    select id, digest from manifests where id = any (${ids}::bigint[]) and deleted_at is not null order by id for update`);
}

/** Which of them something lists that is not among them, live or in the trash itself. */
export function selectListed(
  db: Queryable,
  repositoryId: number,
  ids: readonly number[],
): Promise<{ id: number; parent: Buffer; live: boolean }[]> {
  return db.query(sql`
    select distinct on (m.id) m.id, parent.digest as parent, parent.deleted_at is null as live
    from manifests m
    join manifest_children c on c.repository_id = ${repositoryId} and c.child_digest = m.digest
    join manifests parent on parent.id = c.manifest_id
    where m.id = any (${ids}::bigint[]) and parent.id <> all (${ids}::bigint[])
    order by m.id, live desc`);
}

/**
 * Removes the manifests for good. Their references go first, and in one statement, so that whatever follows from that locks
 * links in order. Returns the blobs that they needed.
 */
export async function removeManifests(
  tx: Transaction,
  repositoryId: number,
  ids: readonly number[],
): Promise<number[]> {
  const needed = await tx.query<{ blob_id: number }>(sql`
    with gone as (
      delete from manifest_blobs where repository_id = ${repositoryId} and manifest_id = any (${ids}::bigint[]) returning blob_id
    )
    select distinct blob_id from gone order by blob_id`);
  await tx.query(sql`delete from manifests where id = any (${ids}::bigint[])`);
  return needed.map((row) => row.blob_id);
}

export interface UnusedLink {
  size: number;
  /** A lease keeps it. */
  leased: boolean;
}

/**
 * Removes those of the links that nothing uses any more and no lease keeps, and tells of these and of those that a lease keeps.
 * Two statements: what is used is looked at when nobody can begin to use it any more.
 */
export async function removeUnusedLinks(
  tx: Transaction,
  repositoryId: number,
  blobIds: readonly number[],
  breakLeases: boolean,
): Promise<UnusedLink[]> {
  await tx.query(sql`
    select 1 from repository_blobs where repository_id = ${repositoryId} and blob_id = any (${blobIds}::bigint[])
    order by blob_id for update`);
  return tx.query<UnusedLink>(sql`
    with unused as (
      select rb.blob_id, b.size, rb.leased_until > now() and not ${breakLeases}::boolean as leased
      from repository_blobs rb join blobs b on b.id = rb.blob_id
      where rb.repository_id = ${repositoryId} and rb.blob_id = any (${blobIds}::bigint[])
        and not exists (select from manifest_blobs mb where mb.repository_id = rb.repository_id and mb.blob_id = rb.blob_id)
        and not exists (select from file_entries e where e.repository_id = rb.repository_id and e.blob_id = rb.blob_id)
    ), removed as (
      delete from repository_blobs rb using unused
      where rb.repository_id = ${repositoryId} and rb.blob_id = unused.blob_id and not unused.leased
    )
    select size, leased from unused`);
}

/** Tags that the manifests had when they were deleted, each once. */
export async function selectDeletedTags(db: Queryable, ids: readonly number[]): Promise<string[]> {
  const rows = await db.query<{ tag: string }>(sql`
    select distinct unnest(tags) as tag from deletions where manifest_id = any (${ids}::bigint[]) order by tag`);
  return rows.map(({ tag }) => tag);
}
