/**
 * What retention reads of a repository. All of it in one snapshot, through cursors: the rows are sorted once, in Postgres, and
 * no more than a page of them is in memory.
 */
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

export interface RetentionRepository {
  id: number;
  path: string;
}

/** Of the project, by id. */
export function selectRetentionRepositories(
  db: Queryable,
  projectId: number,
  after: number,
  limit: number,
): Promise<RetentionRepository[]> {
  return db.query<RetentionRepository>(sql`
    select r.id, ${PATH} as path from repositories r
    where r.project_id = ${projectId} and r.id > ${after} order by r.id limit ${limit}`);
}

/** Undefined when it is gone, or in another project by now. */
export function selectRetentionRepository(
  db: Queryable,
  projectId: number,
  id: number,
): Promise<RetentionRepository | undefined> {
  return db.first<RetentionRepository>(sql`
    select r.id, ${PATH} as path from repositories r where r.project_id = ${projectId} and r.id = ${id}`);
}

/** Seconds since 1970 on Postgres' clock. */
export async function selectNow(db: Queryable): Promise<number> {
  const row = await db.first<{ at: number }>(sql`select extract(epoch from now())::float8 as at`);
  return row!.at;
}

export async function selectTrackedSince(db: Queryable): Promise<number> {
  const row = await db.first<{ at: number }>(sql`select extract(epoch from since)::float8 as at from pull_tracking`);
  return row!.at;
}

/** Work that sees the repository as it was at one moment. */
export function inSnapshot<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.query(sql`set transaction isolation level repeatable read`);
    return work(tx);
  });
}

const PAGE = 2_000;

type Cursor = 'manifests' | 'tags' | 'children' | 'referrers' | 'holds' | 'losses';

/** The rows of a statement, a page at a time. Each has a cursor of its own name, since FETCH is a prepared statement as well. */
async function* paged<Row extends object>(tx: Transaction, what: Cursor, statement: Sql): AsyncGenerator<Row[]> {
  const cursor = raw(`retention_${what}`);
  await tx.query(sql`declare ${cursor} no scroll cursor for ${statement}`);
  for (;;) {
    const rows = await tx.query<Row>(sql`fetch ${raw(String(PAGE))} from ${cursor}`);
    yield rows;
    if (rows.length < PAGE) break;
  }
  await tx.query(sql`close ${cursor}`);
}

export interface LoadedManifest {
  id: number;
  kind: string;
  created: number;
  leased: boolean;
  pulled: number | null;
}

/** Live ones, by id. `at`: when leases are judged. */
export function loadManifests(tx: Transaction, repositoryId: number, at: number): AsyncGenerator<LoadedManifest[]> {
  return paged(
    tx,
    'manifests',
    sql`
    select m.id, m.kind, extract(epoch from m.created_at)::float8 as created, m.leased_until > to_timestamp(${at}) as leased,
           extract(epoch from p.last_pulled_at)::float8 as pulled
    from manifests m left join manifest_pulls p on p.manifest_id = m.id
    where m.repository_id = ${repositoryId} and m.deleted_at is null order by m.id`,
  );
}

export interface LoadedTag {
  name: string;
  manifest_id: number;
  pushed: number;
  stale: boolean;
  follows: boolean;
  subject_id: number | null;
  pulled: number | null;
}

/**
 * The last that was moved first. `follows`: it stands for what refers to a digest, as cosign's tags and the fallback of the
 * specification do; its subject, if that is here.
 */
export function loadTags(tx: Transaction, repositoryId: number): AsyncGenerator<LoadedTag[]> {
  return paged(
    tx,
    'tags',
    sql`
    select t.name, t.manifest_id, extract(epoch from t.updated_at)::float8 as pushed, t.stale, t.follows,
           s.id as subject_id, extract(epoch from p.last_pulled_at)::float8 as pulled
    from (select *, name ~ '^sha256-[0-9a-f]{64}(\\.[a-zA-Z0-9._-]+)?$' as follows from tags
          where repository_id = ${repositoryId}) t
    left join manifests s on s.repository_id = t.repository_id and s.deleted_at is null
      and s.digest = case when t.follows then decode('01' || substr(t.name, 8, 64), 'hex') end
    left join tag_pulls p on p.repository_id = t.repository_id and p.name = t.name
    order by t.updated_at desc, t.name`,
  );
}

export interface LoadedEdge {
  from_id: number;
  to_id: number;
}

/** From indexes to what they list. */
export function loadChildren(tx: Transaction, repositoryId: number): AsyncGenerator<LoadedEdge[]> {
  return paged(
    tx,
    'children',
    sql`
    select p.id as from_id, c.id as to_id
    from manifest_children e
    join manifests p on p.id = e.manifest_id and p.deleted_at is null
    join manifests c on c.repository_id = e.repository_id and c.digest = e.child_digest and c.deleted_at is null
    where e.repository_id = ${repositoryId}`,
  );
}

/** From subjects to what refers to them. */
export function loadReferrers(tx: Transaction, repositoryId: number): AsyncGenerator<LoadedEdge[]> {
  return paged(
    tx,
    'referrers',
    sql`
    select s.id as from_id, m.id as to_id
    from manifests m
    join manifests s on s.repository_id = m.repository_id and s.digest = m.subject_digest and s.deleted_at is null
    where m.repository_id = ${repositoryId} and m.subject_digest is not null and m.deleted_at is null`,
  );
}

export interface LoadedHold {
  manifest_id: number;
  owner_kind: string;
  owner_id: string;
  reason: string;
  until: string | null;
}

export function loadHolds(tx: Transaction, repositoryId: number, at: number): AsyncGenerator<LoadedHold[]> {
  return paged(
    tx,
    'holds',
    sql`
    select h.manifest_id, h.owner_kind, h.owner_id, h.reason,
           to_char(h.expires_at at time zone 'utc', 'YYYY-MM-DD HH24:MI "UTC"') as until
    from holds h join manifests m on m.id = h.manifest_id
    where m.repository_id = ${repositoryId} and coalesce(h.expires_at > to_timestamp(${at}), true)`,
  );
}

export interface LoadedLoss {
  manifest_id: number;
  lost: number;
}

/** When manifests without tags lost their last one; those that never had one are missing. */
export function loadLosses(tx: Transaction, repositoryId: number): AsyncGenerator<LoadedLoss[]> {
  return paged(
    tx,
    'losses',
    sql`
    select m.id as manifest_id, extract(epoch from max(h.at))::float8 as lost
    from tag_history h join manifests m on m.repository_id = h.repository_id and m.digest = h.old_digest and m.deleted_at is null
    where h.repository_id = ${repositoryId} and h.old_digest is not null
      and not exists (select from tags t where t.manifest_id = m.id)
    group by m.id`,
  );
}

/** Digests of manifests, deleted ones too. */
export async function selectDigests(db: Queryable, ids: readonly number[]): Promise<Map<number, Buffer>> {
  const rows = await db.query<{ id: number; digest: Buffer }>(sql`
    select id, digest from manifests where id = any (${ids}::bigint[])`);
  return new Map(rows.map(({ id, digest }) => [id, digest]));
}
