import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** Null: without limit. */
export interface Limits {
  maxBytes: number | null;
  maxArtifacts: number | null;
}

export interface UsageRow extends Limits {
  /** Each blob once, and the payloads of manifests. */
  bytes: number;
  artifacts: number;
  /** Of uploads that are under way. */
  reserved: number;
}

/** What the project uses: its row, and what has not been folded into it yet. */
export function selectUsage(db: Queryable, projectId: number): Promise<UsageRow | undefined> {
  return db.first<UsageRow>(sql`
    select u.max_bytes as "maxBytes", u.max_artifacts as "maxArtifacts", (u.bytes + d.bytes)::bigint as bytes,
           (u.artifacts + d.artifacts)::bigint as artifacts, (u.reserved + d.reserved)::bigint as reserved
    from project_usage u cross join lateral (
      select coalesce(sum(bytes), 0) as bytes, coalesce(sum(artifacts), 0) as artifacts, coalesce(sum(reserved), 0) as reserved
      from project_usage_deltas where project_id = u.project_id) d
    where u.project_id = ${projectId}`);
}

/** The project's row alone, which is all there is once it has a limit. */
export function selectLimitedUsage(db: Queryable, projectId: number): Promise<UsageRow | undefined> {
  return db.first<UsageRow>(sql`
    select max_bytes as "maxBytes", max_artifacts as "maxArtifacts", bytes, artifacts, reserved
    from project_usage where project_id = ${projectId}`);
}

/** What purging the trash would give back: manifests in it, and the blobs that nothing else in the project needs. */
export async function selectTrash(db: Queryable, projectId: number): Promise<{ bytes: number; artifacts: number }> {
  const row = await db.first<{ bytes: number; artifacts: number }>(sql`
    with hidden as materialized (
      select m.id, m.repository_id, m.size from repositories r
      join manifests m on m.repository_id = r.id and m.deleted_at is not null where r.project_id = ${projectId}
    ), needed as (
      select distinct mb.blob_id from hidden h
      join manifest_blobs mb on mb.repository_id = h.repository_id and mb.manifest_id = h.id
    ), alone as (
      select n.blob_id from needed n where not exists (
        select 1 from repository_blobs rb
        join repositories r on r.id = rb.repository_id and r.project_id = ${projectId}
        where rb.blob_id = n.blob_id and (
          exists (select 1 from manifest_blobs mb join manifests m on m.id = mb.manifest_id and m.deleted_at is null
                  where mb.repository_id = rb.repository_id and mb.blob_id = rb.blob_id)
          or exists (select 1 from file_entries f where f.repository_id = rb.repository_id and f.blob_id = rb.blob_id)))
    )
    select (coalesce((select sum(size) from hidden), 0)
            + coalesce((select sum(b.size) from alone join blobs b on b.id = alone.blob_id), 0))::bigint as bytes,
           (select count(*) from hidden) as artifacts`);
  return row!;
}

/**
 * Keeps every other transaction from settling what it changed in the project, until this one ends; those that are at it are
 * waited for. The numbers are those of `settle_usage` in migrations/0017-quota.sql.
 */
export async function lockUsage(tx: Transaction, projectId: number): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(1650815492, (${projectId}::bigint % 2147483647)::int)`);
}

/** The limits before. The caller holds `lockUsage`. */
export async function updateLimits(tx: Transaction, projectId: number, limits: Limits): Promise<Limits | undefined> {
  const before = await tx.first<Limits>(sql`
    select max_bytes as "maxBytes", max_artifacts as "maxArtifacts" from project_usage
    where project_id = ${projectId} for update`);
  if (before === undefined) return undefined;
  await tx.query(sql`
    with usage as (
      update project_usage set max_bytes = ${limits.maxBytes}, max_artifacts = ${limits.maxArtifacts}
      where project_id = ${projectId}
    )
    update projects set limited = ${limits.maxBytes !== null || limits.maxArtifacts !== null} where id = ${projectId}`);
  return before;
}

/** Does work whose manifests count and are never refused. */
export async function countedAlways<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  await tx.query(sql`select set_config('berth.quota', 'always', true)`);
  const result = await work();
  await tx.query(sql`select set_config('berth.quota', '', true)`);
  return result;
}

/** A project that has deltas, next after `projectId`. */
export async function nextWithDeltas(db: Queryable, projectId: number): Promise<number | undefined> {
  const row = await db.first<{ project_id: number }>(sql`
    select project_id from project_usage_deltas where project_id > ${projectId} order by project_id limit 1`);
  return row?.project_id;
}

/** False when another transaction has the row and the caller does not want to wait. */
export async function lockUsageRow(
  tx: Transaction,
  projectId: number,
  wait: boolean,
): Promise<'locked' | 'busy' | 'gone'> {
  const [there] = await tx.query(sql`select 1 as ok from project_usage where project_id = ${projectId}`);
  if (there === undefined) return 'gone';
  const [row] = wait
    ? await tx.query(sql`select 1 as ok from project_usage where project_id = ${projectId} for no key update`)
    : await tx.query(
        sql`select 1 as ok from project_usage where project_id = ${projectId} for no key update skip locked`,
      );
  return row === undefined ? 'busy' : 'locked';
}

/** Adds at most `limit` deltas to the project's row, which the caller has locked; returns how many. */
export async function foldDeltas(tx: Transaction, projectId: number, limit: number): Promise<number> {
  const row = await tx.first<{ folded: number }>(sql`
    with gone as (
      delete from project_usage_deltas where project_id = ${projectId}
        and id = any (array(select id from project_usage_deltas where project_id = ${projectId} order by id limit ${limit}))
      returning bytes, artifacts, reserved
    ), total as (
      select coalesce(sum(bytes), 0) as bytes, coalesce(sum(artifacts), 0) as artifacts,
             coalesce(sum(reserved), 0) as reserved, count(*)::int as folded from gone
    ), usage as (
      update project_usage u
      set bytes = u.bytes + t.bytes, artifacts = u.artifacts + t.artifacts, reserved = u.reserved + t.reserved
      from total t where u.project_id = ${projectId} and t.folded > 0
    )
    select folded from total`);
  return row!.folded;
}

export interface Counted {
  bytes: number;
  artifacts: number;
  reserved: number;
}

/** What the counters say and what the rows say, in one snapshot. */
export function selectCounts(
  db: Queryable,
  projectId: number,
): Promise<{ counted: Counted; actual: Counted } | undefined> {
  return db.first<{ counted: Counted; actual: Counted }>(sql`
    select json_build_object('bytes', u.bytes + d.bytes, 'artifacts', u.artifacts + d.artifacts,
                             'reserved', u.reserved + d.reserved) as counted,
           json_build_object('bytes', b.bytes + m.bytes, 'artifacts', m.artifacts, 'reserved', r.reserved) as actual
    from project_usage u
    cross join lateral (
      select coalesce(sum(bytes), 0) as bytes, coalesce(sum(artifacts), 0) as artifacts, coalesce(sum(reserved), 0) as reserved
      from project_usage_deltas where project_id = u.project_id) d
    cross join lateral (
      select coalesce(sum(blobs.size), 0) as bytes from (
        select distinct rb.blob_id from repositories r join repository_blobs rb on rb.repository_id = r.id
        where r.project_id = u.project_id) has join blobs on blobs.id = has.blob_id) b
    cross join lateral (
      select coalesce(sum(m.size), 0) as bytes, count(*) as artifacts
      from repositories r join manifests m on m.repository_id = r.id where r.project_id = u.project_id) m
    cross join lateral (
      select coalesce(sum(up.reserved), 0) as reserved
      from repositories r join uploads up on up.repository_id = r.id where r.project_id = u.project_id) r
    where u.project_id = ${projectId}`);
}

/** Adds what is missing; what others change meanwhile is added to the same sum, in whatever order. */
export async function correctUsage(tx: Transaction, projectId: number, by: Counted): Promise<void> {
  await tx.query(sql`
    update project_usage set bytes = bytes + ${by.bytes}::bigint, artifacts = artifacts + ${by.artifacts}::bigint,
           reserved = reserved + ${by.reserved}::bigint
    where project_id = ${projectId}`);
}

/** Makes the counts of links what the links say, by the difference; returns how many were wrong. */
export async function correctLinks(tx: Transaction, projectId: number): Promise<number> {
  const row = await tx.first<{ wrong: number }>(sql`
    with actual as (
      select rb.blob_id, count(*)::int as links from repositories r join repository_blobs rb on rb.repository_id = r.id
      where r.project_id = ${projectId} group by rb.blob_id
    ), wrong as (
      select coalesce(a.blob_id, p.blob_id) as blob_id, coalesce(a.links, 0) - coalesce(p.links, 0) as by,
             a.blob_id is null as superfluous
      from actual a full join (select blob_id, links from project_blobs where project_id = ${projectId}) p
        on p.blob_id = a.blob_id
      where a.links is distinct from p.links
    ), removed as (
      delete from project_blobs p using wrong w
      where w.superfluous and p.project_id = ${projectId} and p.blob_id = w.blob_id
    ), corrected as (
      insert into project_blobs (project_id, blob_id, links)
      select ${projectId}::bigint, blob_id, by from wrong where not superfluous order by blob_id
      on conflict (project_id, blob_id) do update set links = project_blobs.links + excluded.links
    )
    select count(*)::int as wrong from wrong`);
  return row!.wrong;
}

/** Projects with a limit, by id. */
export function selectLimitedProjects(
  db: Queryable,
  after: number,
  limit: number,
): Promise<{ id: number; name: string }[]> {
  return db.query(sql`select id, name from projects where limited and id > ${after} order by id limit ${limit}`);
}

/** How much room there has to be for a stream to take a step of this many bytes ahead of what it brings. */
const STEPS = { far: { room: 4 * 2 ** 30, ahead: 64 * 2 ** 20 }, near: { room: 64 * 2 ** 20, ahead: 2 ** 20 } };

export interface Reserve {
  readonly uploadId: string;
  readonly writer: string;
  readonly projectId: number;
  /** Bytes of the whole upload. */
  readonly total: number;
  /** Whether more may be taken than `total`, where there is plenty of room. */
  readonly ahead: boolean;
  /** What the bytes will be, when that is known: a blob that the project has needs no room. */
  readonly digest: Buffer | null;
}

/** What the upload may bring now; undefined when the claim was lost. */
export function updateReservation(
  db: Queryable,
  reserve: Reserve,
): Promise<{ reserved: number; known: boolean } | undefined> {
  const { far, near } = STEPS;
  return db.first<{ reserved: number; known: boolean }>(sql`
    update uploads u
    set reserved = case
      when now_there.known then 0
      when not ${reserve.ahead}::boolean then ${reserve.total}::bigint
      when now_there.room is null or now_there.room > ${far.room}::bigint then ${reserve.total}::bigint + ${far.ahead}::bigint
      when now_there.room > ${near.room}::bigint then ${reserve.total}::bigint + ${near.ahead}::bigint
      else ${reserve.total}::bigint end
    from (select max_bytes - bytes - reserved as room, exists (
            select 1 from project_blobs pb where pb.project_id = ${reserve.projectId}::bigint and pb.blob_id = (
              select id from blobs where digest = ${reserve.digest}::bytea union all
              select blob_id from blob_digests where digest = ${reserve.digest}::bytea limit 1)) as known
          from project_usage where project_id = ${reserve.projectId}::bigint) now_there
    where u.id = ${reserve.uploadId} and u.writer = ${reserve.writer}
    returning u.reserved, now_there.known`);
}
