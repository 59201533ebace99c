/** The outbox, as the consumer `webhooks` reads it: in (xid, id) order, and only below the oldest transaction that is still open. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

/** A place in the order of the outbox. */
export interface Place {
  readonly xid: string;
  readonly id: number;
}

export interface Outlook {
  cursorXid: string;
  cursorId: number;
  /** Everything below it is committed or never will be. */
  horizon: string;
  /** Whether any hook hears of events. */
  hooks: boolean;
}

/**
 * Where the consumer stands. Read before the hooks: an event below this horizon was committed before, so whoever reads the hooks
 * after this sees each that was there before the event.
 */
export async function selectOutlook(db: Queryable): Promise<Outlook> {
  const row = await db.first<Outlook>(sql`
    select xid::text as "cursorXid", id as "cursorId", pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
           exists (select 1 from webhooks where disabled_at is null) as hooks
    from event_consumers where name = 'webhooks'`);
  return row!;
}

export interface OutboxEvent {
  id: number;
  xid: string;
  type: string;
  /** RFC 3339, in UTC, with microseconds. */
  at: string;
  happened: Date;
  projectId: number | null;
  project: string | null;
  repositoryId: number | null;
  repository: string | null;
  actor: string | null;
  actorKind: string | null;
  /** Null when there is too much of it. */
  data: Record<string, unknown> | null;
}

/** The end of the next `limit` events after the cursor; undefined when there are none. */
export function selectEnd(db: Queryable, from: Place, horizon: string, limit: number): Promise<Place | undefined> {
  return db.first<Place>(sql`
    select xid::text as xid, id from (
      select xid, id from events where (xid, id) > (${from.xid}::xid8, ${from.id}::bigint) and xid < ${horizon}::xid8
      order by xid, id limit ${limit}) next
    order by next.xid desc, next.id desc limit 1`);
}

/**
 * Those of them whose type is like one of the patterns (as `like` writes them), with what they are about.
 * @param limit as for `selectEnd`: it keeps the planner on the index
 */
export function selectEvents(
  db: Queryable,
  from: Place,
  end: Place,
  limit: number,
  patterns: readonly string[],
  largest: number,
): Promise<OutboxEvent[]> {
  return db.query<OutboxEvent>(sql`
    select e.id, e.xid::text as xid, e.type, to_char(e.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, e.at as happened,
           e.project_id as "projectId",
           coalesce(p.name, e.data ->> 'project', nullif(split_part(e.origin ->> 'path', '/', 1), '')) as project,
           e.repository_id as "repositoryId",
           coalesce(${PATH}, case when e.repository_id is not null then e.origin ->> 'path' end) as repository,
           coalesce(e.origin #>> '{principal,name}', s.name) as actor, coalesce(e.origin #>> '{principal,kind}', s.kind) as "actorKind",
           case when octet_length(e.data::text) <= ${largest} then e.data end as data
    from (
      select * from events where (xid, id) > (${from.xid}::xid8, ${from.id}::bigint) order by xid, id limit ${limit}
    ) e left join principals s on s.id = e.actor_id left join projects p on p.id = e.project_id
         left join repositories r on r.id = e.repository_id
    where (e.xid, e.id) <= (${end.xid}::xid8, ${end.id}::bigint)
      and e.type like any(${patterns}::text[])
    order by e.xid, e.id`);
}

/** Where a message is about, as it is called now. */
export function selectPlace(
  db: Queryable,
  projectId: number | null,
  repositoryId: number | null,
): Promise<{ project: string | null; repository: string | null } | undefined> {
  return db.first(sql`
    select p.name as project, ${PATH} as repository
    from (select 1) one left join repositories r on r.id = ${repositoryId}::bigint
    left join projects p on p.id = coalesce(${projectId}::bigint, r.project_id)`);
}

/** Kinds of manifests, those in the trash included. */
export function selectKinds(
  db: Queryable,
  repositoryId: number,
  digests: readonly Buffer[],
): Promise<{ kind: string }[]> {
  return db.query<{ kind: string }>(sql`
    select distinct kind from manifests where repository_id = ${repositoryId} and digest = any(${digests}::bytea[])`);
}

/** Takes the step, unless another process was faster. */
export async function moveCursor(tx: Transaction, from: Place, to: Place): Promise<boolean> {
  const row = await tx.first(sql`
    update event_consumers set xid = ${to.xid}::xid8, id = ${to.id}
    where name = 'webhooks' and xid = ${from.xid}::xid8 and id = ${from.id} returning 1 as ok`);
  return row !== undefined;
}

/** With nobody to tell: past everything that is over. Where a hook came meanwhile, what it is to hear of is not over yet. */
export async function skipOutbox(db: Queryable): Promise<void> {
  await db.query(sql`
    update event_consumers c set xid = last.xid, id = last.id
    from (select xid, id from events where xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, id desc limit 1) last
    where c.name = 'webhooks' and (last.xid, last.id) > (c.xid, c.id)
      and not exists (select 1 from webhooks where disabled_at is null)`);
}
