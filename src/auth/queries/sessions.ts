import sql, { empty } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface SessionRow {
  id: number;
  /** Name of the provider; null: the password that is kept here. */
  provider: string | null;
  address: string | null;
  userAgent: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

const COLUMNS = sql`s.id, p.name as provider, s.address, s.user_agent as "userAgent", s.created_at as "createdAt",
  s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt"`;

/**
 * New; beyond `most` of the same person the oldest ones end. Undefined when the person's epoch is not that one any more, or
 * the account is closed.
 */
export function insertSession(
  tx: Queryable,
  session: {
    principalId: number;
    epoch: number;
    secretHash: Buffer;
    providerId: number | null;
    address: string;
    userAgent: string;
    lifeSeconds: number;
    most: number;
  },
): Promise<SessionRow | undefined> {
  return tx.first<SessionRow>(sql`
    with owner as (
      select id from principals
      where id = ${session.principalId} and epoch = ${session.epoch} and disabled_at is null for no key update
    ), old as (
      delete from sessions where id in (
        select id from sessions where principal_id = ${session.principalId} order by id desc offset ${session.most - 1})
    ), s as (
      insert into sessions (principal_id, secret_hash, provider_id, address, user_agent, expires_at)
      select id, ${session.secretHash}, ${session.providerId}, ${session.address}, ${session.userAgent},
             now() + make_interval(secs => ${session.lifeSeconds})
      from owner returning *
    )
    select ${COLUMNS} from s left join providers p on p.id = s.provider_id`);
}

export interface SessionLoginRow {
  sessionId: number;
  principalId: number;
  name: string;
  epoch: number;
  admin: boolean;
  expiresInMs: number;
}

/** The live session with this hash, of someone who may still sign in. It ends `idleSeconds` after it was last seen. */
export function findSessionLogin(
  db: Queryable,
  secretHash: Buffer,
  idleSeconds: number,
): Promise<SessionLoginRow | undefined> {
  return db.first<SessionLoginRow>(sql`
    select s.id as "sessionId", p.id as "principalId", p.name, p.epoch, u.admin,
           (extract(epoch from least(s.expires_at, s.last_seen_at + make_interval(secs => ${idleSeconds})) - now()) * 1000)::float8
             as "expiresInMs"
    from sessions s join principals p on p.id = s.principal_id join users u on u.principal_id = p.id
    where s.secret_hash = ${secretHash} and s.expires_at > now()
      and s.last_seen_at > now() - make_interval(secs => ${idleSeconds})
      and p.disabled_at is null and coalesce(p.expires_at > now(), true)`);
}

/** At most once a minute for each session, whatever the number of replicas. */
export async function touchSessions(db: Queryable, ids: readonly number[]): Promise<void> {
  await db.query(sql`
    update sessions set last_seen_at = now()
    where id in (select id from sessions where id = any(${ids}) and last_seen_at < now() - interval '1 minute'
                 order by id for update skip locked)`);
}

export function selectSessionByHash(db: Queryable, secretHash: Buffer): Promise<SessionRow | undefined> {
  return db.first<SessionRow>(sql`
    select ${COLUMNS} from sessions s left join providers p on p.id = s.provider_id where s.secret_hash = ${secretHash}`);
}

/** Live ones, newest first. */
export function selectSessions(
  db: Queryable,
  principalId: number,
  idleSeconds: number,
  before: number | undefined,
  limit: number,
): Promise<SessionRow[]> {
  return db.query<SessionRow>(sql`
    select ${COLUMNS} from sessions s left join providers p on p.id = s.provider_id
    where s.principal_id = ${principalId} and s.expires_at > now()
      and s.last_seen_at > now() - make_interval(secs => ${idleSeconds})
      ${before === undefined ? empty : sql`and s.id < ${before}`}
    order by s.id desc limit ${limit}`);
}

/** False when the person has no such session. */
export async function deleteSession(tx: Queryable, principalId: number, id: number): Promise<boolean> {
  const row = await tx.first(
    sql`delete from sessions where id = ${id} and principal_id = ${principalId} returning 1 as done`,
  );
  return row !== undefined;
}

/** Whose it was. */
export async function deleteSessionByHash(
  tx: Queryable,
  secretHash: Buffer,
): Promise<{ id: number; principalId: number } | undefined> {
  return tx.first<{ id: number; principalId: number }>(
    sql`delete from sessions where secret_hash = ${secretHash} returning id, principal_id as "principalId"`,
  );
}

/** How many there were. */
export async function deleteSessionsOf(tx: Queryable, principalId: number): Promise<number> {
  return (await tx.query(sql`delete from sessions where principal_id = ${principalId} returning 1 as done`)).length;
}

/** Of everyone whom a provider knows; their epochs rise, so that a sign-in that is under way comes to nothing. */
export async function deleteSessionsThrough(tx: Queryable, providerId: number): Promise<void> {
  await tx.query(sql`
    with people as (
      select id from principals where id in (select principal_id from identities where provider_id = ${providerId})
      order by id for no key update
    ), gone as (
      delete from sessions where principal_id in (select id from people)
    )
    update principals set epoch = epoch + 1 where id in (select id from people)`);
}

/** What is over. */
export async function deleteOldSessions(db: Queryable, idleSeconds: number): Promise<void> {
  await db.query(sql`
    delete from sessions
    where expires_at < now() or last_seen_at < now() - make_interval(secs => ${idleSeconds})`);
}
