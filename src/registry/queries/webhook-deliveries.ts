import sql, { empty } from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'dropped';

export interface DeliveryRow {
  id: number;
  messageId: string;
  eventId: number | null;
  eventType: string;
  state: DeliveryState;
  attempts: number;
  nextAttemptAt: Date;
  lastAttemptAt: Date | null;
  lastStatus: number | null;
  lastError: string | null;
  lastDurationMs: number | null;
  createdAt: Date;
  finishedAt: Date | null;
}

const COLUMNS = sql`d.id, d.message_id as "messageId", d.event_id as "eventId", d.event_type as "eventType", d.state, d.attempts,
  d.next_attempt_at as "nextAttemptAt", d.last_attempt_at as "lastAttemptAt", d.last_status as "lastStatus",
  d.last_error as "lastError", d.last_duration_ms as "lastDurationMs", d.created_at as "createdAt",
  d.finished_at as "finishedAt"`;

export interface NewDelivery {
  readonly webhookId: number;
  readonly eventId: number;
  readonly type: string;
  readonly repositoryId: number | null;
  readonly whole: boolean;
  readonly payload: string;
}

/** One for each hook and event, whoever comes by twice. Hooks that went or were disabled meanwhile get none. */
export async function insertDeliveries(tx: Transaction, deliveries: readonly NewDelivery[]): Promise<void> {
  await tx.query(sql`
    insert into webhook_deliveries (webhook_id, event_id, event_type, repository_id, whole, payload)
    select d.* from unnest(
      ${deliveries.map((each) => each.webhookId)}::bigint[], ${deliveries.map((each) => each.eventId)}::bigint[],
      ${deliveries.map((each) => each.type)}::text[], ${deliveries.map((each) => each.repositoryId)}::bigint[],
      ${deliveries.map((each) => each.whole)}::boolean[], ${deliveries.map((each) => each.payload)}::text[])
      as d (webhook_id, event_id, event_type, repository_id, whole, payload)
    join (select id from webhooks where id = any(${deliveries.map((each) => each.webhookId)}::bigint[]) and disabled_at is null
          order by id for share) here on here.id = d.webhook_id
    on conflict (webhook_id, event_id) do nothing`);
}

/** A message about no event. */
export async function insertPing(
  tx: Transaction,
  webhookId: number,
  type: string,
  payload: string,
): Promise<DeliveryRow> {
  const row = await tx.first<DeliveryRow>(sql`
    with d as (
      insert into webhook_deliveries (webhook_id, event_type, payload) values (${webhookId}, ${type}, ${payload}) returning *
    )
    select ${COLUMNS} from d`);
  return row!;
}

/** The oldest of what waits beyond `most`, for each of the hooks. */
export async function dropOverflow(
  tx: Transaction,
  webhookIds: readonly number[],
  most: number,
  why: string,
): Promise<void> {
  await tx.query(sql`
    with over as (
      select d.id from unnest(${webhookIds}::bigint[]) as h (id) cross join lateral (
        select id from webhook_deliveries where webhook_id = h.id and state = 'pending' order by id desc offset ${most}) d
    ), held as (
      select d.id from webhook_deliveries d where d.id in (select id from over)
        and (d.claimed_until is null or d.claimed_until <= now()) order by d.id for update skip locked
    ), gone as (
      update webhook_deliveries d set state = 'dropped', last_error = ${why}, finished_at = now(), claimed_by = null,
        claimed_until = null
      from held where d.id = held.id and d.state = 'pending' returning d.webhook_id
    ), counted as (select webhook_id, count(*) as n from gone group by webhook_id)
    update webhooks w set dropped = w.dropped + c.n from counted c where w.id = c.webhook_id`);
}

/** Everything that waits, when the hook is disabled. */
export async function dropPending(tx: Queryable, webhookId: number, why: string): Promise<void> {
  await tx.query(sql`
    update webhook_deliveries set state = 'dropped', last_error = ${why}, finished_at = now(), claimed_by = null,
      claimed_until = null
    where webhook_id = ${webhookId} and state = 'pending'`);
}

export interface ClaimedRow {
  id: number;
  webhookId: number;
  projectId: number | null;
  messageId: string;
  eventId: number | null;
  eventType: string;
  repositoryId: number | null;
  whole: boolean;
  payload: string;
  attempts: number;
  failing: boolean;
}

export interface Claim {
  readonly worker: string;
  readonly seconds: number;
  readonly slots: number;
  /** Of them, for hooks whose last attempt failed. */
  readonly failingSlots: number;
  /** Who has as many as it may have. 0 stands for the hub. */
  readonly busyHooks: readonly number[];
  readonly busyProjects: readonly number[];
}

/**
 * The next messages that are due: one for each hook, two for each project, those first whose hooks are
 * well, and that have been due longest. Hooks are found
 * by jumping through the index from one that has something to the next, so nothing to do costs nothing.
 */
export function claimDue(db: Queryable, claim: Claim): Promise<ClaimedRow[]> {
  return db.query<ClaimedRow>(sql`
    with recursive hook as (
      (select webhook_id as id from webhook_deliveries where state = 'pending' order by webhook_id limit 1)
      union all
      select (select webhook_id from webhook_deliveries where state = 'pending' and webhook_id > hook.id
              order by webhook_id limit 1)
      from hook where hook.id is not null
    ), due as (
      select d.id, d.next_attempt_at, w.failing_since is not null as failing,
             row_number() over (partition by coalesce(w.project_id, 0)
                                order by w.failing_since is not null, d.next_attempt_at, d.id) as place
      from hook join webhooks w on w.id = hook.id cross join lateral (
        select id, next_attempt_at from webhook_deliveries
        where webhook_id = w.id and state = 'pending' and next_attempt_at <= now()
          and (claimed_until is null or claimed_until <= now())
        order by next_attempt_at, id limit 1) d
      where w.disabled_at is null and (w.paused_until is null or w.paused_until <= now())
        and w.id <> all(${claim.busyHooks}::bigint[]) and coalesce(w.project_id, 0) <> all(${claim.busyProjects}::bigint[])
    ), turn as (
      select id, failing, next_attempt_at,
             row_number() over (partition by failing order by next_attempt_at, id) as place
      from due where place <= 2
    ), chosen as (
      select id from turn where not failing or place <= ${claim.failingSlots}
      order by failing, next_attempt_at, id limit ${claim.slots}
    ), mine as (
      select d.id from webhook_deliveries d join chosen using (id)
      where d.state = 'pending' and (d.claimed_until is null or d.claimed_until <= now())
      order by d.id for update of d skip locked
    )
    update webhook_deliveries d
    set claimed_by = ${claim.worker}, claimed_until = now() + make_interval(secs => ${claim.seconds})
    from mine, webhooks w where d.id = mine.id and w.id = d.webhook_id
    returning d.id, d.webhook_id as "webhookId", w.project_id as "projectId", d.message_id as "messageId",
      d.event_id as "eventId", d.event_type as "eventType", d.repository_id as "repositoryId", d.whole, d.payload,
      d.attempts,
      w.failing_since is not null as failing`);
}

export interface Settled {
  readonly state: DeliveryState;
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** Until the next attempt, when there is one. */
  readonly waitSeconds: number;
  /** Whether it was sent, or tried to. */
  readonly attempted: boolean;
}

/** False when the claim has run out and somebody else has it, or the message has been dropped meanwhile. */
export async function settleDelivery(db: Queryable, id: number, worker: string, settled: Settled): Promise<boolean> {
  const { state, status, error, durationMs, waitSeconds, attempted } = settled;
  const row = await db.first(sql`
    update webhook_deliveries set state = ${state}, attempts = attempts + ${attempted ? 1 : 0}, last_attempt_at = now(),
      last_status = ${status}, last_error = ${error}, last_duration_ms = ${durationMs},
      next_attempt_at = now() + make_interval(secs => ${waitSeconds}), claimed_by = null, claimed_until = null,
      finished_at = case when ${state} <> 'pending' then now() end
    where id = ${id} and claimed_by = ${worker} and state = 'pending' returning 1 as ok`);
  return row !== undefined;
}

/** Frees what a process that is known to be gone had claimed; without one, all of them. */
export async function freeDeliveries(db: Queryable, worker?: string): Promise<void> {
  await db.query(sql`
    update webhook_deliveries set claimed_by = null, claimed_until = null
    where claimed_by is not null and (${worker ?? null}::uuid is null or claimed_by = ${worker ?? null}::uuid)`);
}

/** Newest first. */
export function selectDeliveries(
  db: Queryable,
  webhookId: number,
  state: DeliveryState | undefined,
  before: number | undefined,
  limit: number,
): Promise<DeliveryRow[]> {
  const only = state === undefined ? empty : sql`and d.state = ${state}`;
  const page = before === undefined ? empty : sql`and d.id < ${before}`;
  return db.query<DeliveryRow>(sql`
    select ${COLUMNS} from webhook_deliveries d where d.webhook_id = ${webhookId} ${only} ${page}
    order by d.id desc limit ${limit}`);
}

export function selectDelivery(
  db: Queryable,
  webhookId: number,
  id: number,
): Promise<(DeliveryRow & { payload: string }) | undefined> {
  return db.first<DeliveryRow & { payload: string }>(sql`
    select ${COLUMNS}, d.payload from webhook_deliveries d where d.webhook_id = ${webhookId} and d.id = ${id}`);
}

/** The same message once more, from the first attempt on. One that is under way stays as it is. */
export function renewDelivery(tx: Transaction, webhookId: number, id: number): Promise<DeliveryRow | undefined> {
  return tx.first<DeliveryRow>(sql`
    with d as (
      update webhook_deliveries set state = 'pending', attempts = case when state = 'pending' then attempts else 0 end,
        next_attempt_at = now(), finished_at = null
      where webhook_id = ${webhookId} and id = ${id} returning *
    )
    select ${COLUMNS} from d`);
}

/** Messages that wait, up to `most`: how many there are beyond it makes no difference. */
export async function countPending(db: Queryable, webhookId: number, most: number): Promise<number> {
  const row = await db.first<{ count: number }>(sql`
    select count(*) as count from (
      select 1 from webhook_deliveries where webhook_id = ${webhookId} and state = 'pending' limit ${most}) p`);
  return row!.count;
}

/** Of what is over: up to `limit` messages that are older than `days`. */
export async function deleteExpired(db: Queryable, days: number, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from webhook_deliveries where id in (
      select id from webhook_deliveries where finished_at < now() - make_interval(days => ${days}) order by finished_at
      limit ${limit})
    returning 1 as ok`);
  return rows.length;
}

/** Of what is over: up to `limit` messages of each hook that are not among its last `most`. */
export async function deleteSurplus(db: Queryable, most: number, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from webhook_deliveries where id in (
      select d.id from webhooks w cross join lateral (
        select id from webhook_deliveries where webhook_id = w.id and state <> 'pending' order by id desc
        offset ${most} limit ${limit}) d)
    returning 1 as ok`);
  return rows.length;
}
