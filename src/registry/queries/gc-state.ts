/** Where garbage collection stands, for people. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import type { PreviewRow } from './gc-preview.ts';

/** A queue is counted no further: what is beyond is "many". */
export const MANY = 100_000;

export interface QueueRow {
  waiting: number;
  due: number;
  oldest_due: Date | null;
}

export interface StateRow {
  running: boolean;
  backfilled: boolean;
  held: boolean;
  objects: number;
  objects_due: number;
  object_bytes: number;
  oldest_object_due: Date | null;
}

export async function selectState(db: Queryable): Promise<StateRow> {
  const row = await db.first<StateRow>(sql`
    select s.runner is not null and s.runner_seen > now() - interval '60 seconds' as running,
           s.backfilled_at is not null as backfilled, exists (select from gc_holds where expires_at > now()) as held, dead.*
    from gc_state s, (
      select count(*) as objects, count(*) filter (where delete_after <= now()) as objects_due,
             coalesce(sum(size), 0)::bigint as object_bytes,
             min(delete_after) filter (where delete_after <= now()) as oldest_object_due
      from dead_objects) dead`);
  return row as StateRow;
}

export function selectTrashQueue(db: Queryable, undo: number): Promise<QueueRow | undefined> {
  return db.first<QueueRow>(sql`
    select (select count(*) from (select from manifests where deleted_at is not null limit ${MANY}) w) as waiting,
           (select count(*) from (select from manifests where deleted_at <= now() - make_interval(secs => ${undo}) limit ${MANY}) d) as due,
           (select min(deleted_at) from manifests where deleted_at <= now() - make_interval(secs => ${undo})) as oldest_due`);
}

export function selectSubjectQueue(db: Queryable): Promise<QueueRow | undefined> {
  return db.first<QueueRow>(sql`
    select (select count(*) from (select from subject_reviews limit ${MANY}) w) as waiting,
           (select count(*) from (select from subject_reviews where review_after <= now() limit ${MANY}) d) as due,
           (select min(review_after) from subject_reviews where review_after <= now()) as oldest_due`);
}

export function selectLinkQueue(db: Queryable, delay: number): Promise<QueueRow | undefined> {
  return db.first<QueueRow>(sql`
    select (select count(*) from (select from link_reviews limit ${MANY}) w) as waiting,
           (select count(*) from (select from link_reviews where review_after <= now() - make_interval(secs => ${delay}) limit ${MANY}) d) as due,
           (select min(review_after) from link_reviews where review_after <= now() - make_interval(secs => ${delay})) as oldest_due`);
}

export function selectBlobQueue(db: Queryable): Promise<QueueRow | undefined> {
  return db.first<QueueRow>(sql`
    select (select count(*) from (select from blob_reviews limit ${MANY}) w) as waiting,
           (select count(*) from (select from blob_reviews where review_after <= now() limit ${MANY}) d) as due,
           (select min(review_after) from blob_reviews where review_after <= now()) as oldest_due`);
}

export interface RunRow extends PreviewRow {
  id: string;
  cause: 'schedule' | 'request' | 'command';
  requested_by: string | null;
  started_at: Date;
  /** To the microsecond, for the cursor. */
  started: string;
  finished_at: Date | null;
  seen_at: Date;
  /** It has not said that it is over, and was seen lately. */
  running: boolean;
}

/** Newest first, before the given one. */
export function selectRuns(
  db: Queryable,
  before: { started: string; id: string } | undefined,
  limit: number,
): Promise<RunRow[]> {
  return db.query<RunRow>(sql`
    select r.id::text as id, r.cause, p.name as requested_by, r.started_at, r.started_at::text as started, r.finished_at, r.seen_at,
           r.finished_at is null and r.seen_at > now() - interval '60 seconds' as running,
           r.manifests, r.orphans, r.links, r.blobs, r.bytes, r.uploads, r.objects, r.object_bytes
    from gc_runs r left join principals p on p.id = r.requested_by
    where (r.started_at, r.id) < (${before?.started ?? 'infinity'}::timestamptz,
                                  ${before?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff'}::uuid)
    order by r.started_at desc, r.id desc limit ${limit}`);
}

export interface GcHoldRow {
  id: number;
  owner_kind: string;
  owner_id: string;
  reason: string;
  expires_at: Date;
  created_at: Date;
  created_by: string | null;
}

export async function insertGcHold(
  tx: Transaction,
  hold: { ownerKind: string; ownerId: string; reason: string; seconds: number; createdBy: number },
): Promise<GcHoldRow> {
  const row = await tx.first<GcHoldRow>(sql`
    with made as (
      insert into gc_holds (owner_kind, owner_id, reason, expires_at, created_by)
      values (${hold.ownerKind}, ${hold.ownerId}, ${hold.reason}, now() + make_interval(secs => ${hold.seconds}),
              ${hold.createdBy || null})
      returning *
    )
    select m.id, m.owner_kind, m.owner_id, m.reason, m.expires_at, m.created_at, p.name as created_by
    from made m left join principals p on p.id = m.created_by`);
  return row as GcHoldRow;
}

/** Those that hold now, and of the others those that nobody has removed yet, by id. */
export function selectGcHolds(db: Queryable, after: number, limit: number): Promise<GcHoldRow[]> {
  return db.query<GcHoldRow>(sql`
    select h.id, h.owner_kind, h.owner_id, h.reason, h.expires_at, h.created_at, p.name as created_by
    from gc_holds h left join principals p on p.id = h.created_by
    where h.id > ${after} and h.expires_at > now() order by h.id limit ${limit}`);
}

export function deleteGcHold(
  tx: Transaction,
  id: number,
): Promise<{ owner_kind: string; owner_id: string } | undefined> {
  return tx.first<{ owner_kind: string; owner_id: string }>(sql`
    delete from gc_holds where id = ${id} and expires_at > now() returning owner_kind, owner_id`);
}

export async function deleteExpiredGcHolds(db: Queryable): Promise<void> {
  await db.query(sql`delete from gc_holds where expires_at < now() - interval '1 day'`);
}
