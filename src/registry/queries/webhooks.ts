import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface WebhookRow {
  id: number;
  projectId: number | null;
  url: string;
  description: string;
  types: string[];
  pathGlob: string | null;
  tagGlob: string | null;
  kinds: string[] | null;
  http: boolean;
  privateAddresses: boolean;
  ca: string | null;
  secretId: number;
  /** Null also when its time is over. */
  previousSecretId: number | null;
  previousSecretUntil: Date | null;
  ownerId: number | null;
  owner: string | null;
  ownerLimits: { actions: string[]; paths?: string[] } | null;
  activeSince: Date;
  disabledAt: Date | null;
  disabledReason: 'request' | 'failing' | 'gone' | null;
  failingSince: Date | null;
  deliveredAt: Date | null;
  dropped: number;
  withheld: number;
  withheldAt: Date | null;
  withheldReason: string | null;
  createdAt: Date;
}

const COLUMNS = sql`w.id, w.project_id as "projectId", w.url, w.description, w.types, w.path_glob as "pathGlob",
  w.tag_glob as "tagGlob", w.kinds, w.http, w.private_addresses as "privateAddresses", w.ca, w.secret_id as "secretId",
  case when w.previous_secret_until > now() then w.previous_secret_id end as "previousSecretId",
  case when w.previous_secret_until > now() then w.previous_secret_until end as "previousSecretUntil", w.owner_id as "ownerId",
  (select name from principals where id = w.owner_id) as owner, w.owner_limits as "ownerLimits", w.active_since as "activeSince",
  w.disabled_at as "disabledAt", w.disabled_reason as "disabledReason", w.failing_since as "failingSince",
  w.delivered_at as "deliveredAt", w.dropped, w.withheld, w.withheld_at as "withheldAt", w.withheld_reason as "withheldReason",
  w.created_at as "createdAt"`;

/** What people set. */
export interface WebhookFields {
  url: string;
  description: string;
  types: readonly string[];
  pathGlob: string | null;
  tagGlob: string | null;
  kinds: readonly string[] | null;
  http: boolean;
  privateAddresses: boolean;
  ca: string | null;
  ownerId: number | null;
  ownerLimits: object | null;
}

/** Undefined when there are `most` already: a bound, which two that come at once may pass by one. */
export function insertWebhook(
  tx: Queryable,
  projectId: number | null,
  fields: WebhookFields,
  secretId: number,
  most: number,
): Promise<WebhookRow | undefined> {
  return tx.first<WebhookRow>(sql`
    with w as (
      insert into webhooks (project_id, url, description, types, path_glob, tag_glob, kinds, http, private_addresses, ca, secret_id,
                            owner_id, owner_limits)
      select ${projectId}, ${fields.url}, ${fields.description}, ${fields.types}::text[], ${fields.pathGlob}, ${fields.tagGlob},
             ${fields.kinds}::text[], ${fields.http}, ${fields.privateAddresses}, ${fields.ca}, ${secretId}, ${fields.ownerId},
             ${textOf(fields.ownerLimits)}::jsonb
      where (select count(*) from webhooks where project_id is not distinct from ${projectId}) < ${most}
      returning *
    )
    select ${COLUMNS} from w`);
}

function textOf(limits: object | null): string | null {
  return limits === null ? null : JSON.stringify(limits);
}

export function selectWebhooks(
  db: Queryable,
  projectId: number | null,
  after: number,
  limit: number,
): Promise<WebhookRow[]> {
  return db.query<WebhookRow>(sql`
    select ${COLUMNS} from webhooks w where w.project_id is not distinct from ${projectId} and w.id > ${after}
    order by w.id limit ${limit}`);
}

export function selectWebhook(db: Queryable, projectId: number | null, id: number): Promise<WebhookRow | undefined> {
  return db.first<WebhookRow>(sql`
    select ${COLUMNS} from webhooks w where w.project_id is not distinct from ${projectId} and w.id = ${id}`);
}

export function lockWebhook(tx: Queryable, projectId: number | null, id: number): Promise<WebhookRow | undefined> {
  return tx.first<WebhookRow>(sql`
    select ${COLUMNS} from webhooks w where w.project_id is not distinct from ${projectId} and w.id = ${id} for update`);
}

/** What was wrong with the hook before says nothing about it now; who enables it hears of what comes from now on. */
export async function updateWebhook(
  tx: Queryable,
  id: number,
  fields: WebhookFields,
  disabled: boolean,
): Promise<WebhookRow> {
  const row = await tx.first<WebhookRow>(sql`
    with w as (
      update webhooks set url = ${fields.url}, description = ${fields.description}, types = ${fields.types}::text[],
        path_glob = ${fields.pathGlob}, tag_glob = ${fields.tagGlob}, kinds = ${fields.kinds}::text[], http = ${fields.http},
        private_addresses = ${fields.privateAddresses}, ca = ${fields.ca}, owner_id = ${fields.ownerId},
        owner_limits = ${textOf(fields.ownerLimits)}::jsonb, failing_since = null, paused_until = null,
        active_since = case when disabled_at is not null and not ${disabled}::boolean then now() else active_since end,
        disabled_at = case when ${disabled} then coalesce(disabled_at, now()) end,
        disabled_reason = case when ${disabled} then coalesce(disabled_reason, 'request') end
      where id = ${id} returning *
    )
    select ${COLUMNS} from w`);
  return row!;
}

/** The secret from now on; the one before signs as well for `overlapSeconds`. */
export async function updateSecret(
  tx: Queryable,
  id: number,
  secretId: number,
  overlapSeconds: number,
): Promise<WebhookRow> {
  const row = await tx.first<WebhookRow>(sql`
    with w as (
      update webhooks set secret_id = ${secretId}, previous_secret_id = secret_id,
        previous_secret_until = now() + make_interval(secs => ${overlapSeconds})
      where id = ${id} returning *
    )
    select ${COLUMNS} from w`);
  return row!;
}

/** Of a hook that is locked: the secret before the last one, for which there is no room any more. */
export async function selectPreviousSecret(tx: Queryable, id: number): Promise<number | null> {
  const row = await tx.first<{ id: number | null }>(
    sql`select previous_secret_id as id from webhooks where id = ${id}`,
  );
  return row?.id ?? null;
}

/** Secrets whose overlap is over. */
export async function deleteOldSecrets(db: Queryable): Promise<void> {
  await db.query(sql`
    with old as (
      select id, previous_secret_id from webhooks where previous_secret_until <= now() order by id for update
    ), freed as (
      update webhooks w set previous_secret_id = null, previous_secret_until = null from old where w.id = old.id returning w.id
    )
    select count(*) from freed`);
  await db.query(sql`
    delete from secrets s where s.purpose = 'webhook' and s.created_at < now() - interval '1 day'
      and not exists (select 1 from webhooks w where s.id in (w.secret_id, w.previous_secret_id))`);
}

export async function deleteWebhook(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from webhooks where id = ${id}`);
}

export interface OwnerRow {
  id: number;
  kind: 'user' | 'robot' | 'team' | 'trust_rule' | 'ci_session' | 'run';
  name: string;
  admin: boolean;
}

export function selectOwners(db: Queryable, ids: readonly number[]): Promise<OwnerRow[]> {
  return db.query<OwnerRow>(sql`
    select p.id, p.kind, p.name, coalesce(u.admin, false) as admin from principals p left join users u on u.principal_id = p.id
    where p.id = any(${ids}::bigint[])`);
}

/** Every hook that hears of events now. At most some thousands: 50 for each project that has any. */
export function selectEnabled(db: Queryable): Promise<WebhookRow[]> {
  return db.query<WebhookRow>(sql`select ${COLUMNS} from webhooks w where w.disabled_at is null order by w.id`);
}

export function selectEnabledOne(db: Queryable, id: number): Promise<WebhookRow | undefined> {
  return db.first<WebhookRow>(sql`select ${COLUMNS} from webhooks w where w.id = ${id} and w.disabled_at is null`);
}

export async function noteSuccess(db: Queryable, id: number): Promise<void> {
  await db.query(sql`
    update webhooks set failing_since = null, paused_until = null, delivered_at = now()
    where id = ${id} and (failing_since is not null or delivered_at is null or delivered_at < now() - interval '5 seconds')`);
}

/** Returns whether the hook is disabled by this: only failures for `days`, or nobody is there any more. */
export async function noteFailure(
  tx: Queryable,
  id: number,
  { gone, pauseSeconds, days }: { gone: boolean; pauseSeconds: number; days: number },
): Promise<WebhookRow | undefined> {
  return tx.first<WebhookRow>(sql`
    with before as (
      select id, ${gone}::boolean as gone, coalesce(failing_since < now() - make_interval(days => ${days}), false) as failing
      from webhooks where id = ${id} and disabled_at is null for update
    ), w as (
      update webhooks set failing_since = coalesce(failing_since, now()),
        paused_until = greatest(paused_until, now() + make_interval(secs => ${pauseSeconds})),
        disabled_at = case when before.gone or before.failing then now() end,
        disabled_reason = case when before.gone then 'gone' when before.failing then 'failing' end
      from before where webhooks.id = before.id returning webhooks.*
    )
    select ${COLUMNS} from w where w.disabled_at is not null`);
}

/** Who asks waits: what the receiver said is for all messages of the hook. */
export async function noteWithheld(db: Queryable, id: number, count: number, reason: string): Promise<void> {
  await db.query(sql`
    update webhooks set withheld = withheld + ${count}, withheld_at = now(), withheld_reason = ${reason} where id = ${id}`);
}
