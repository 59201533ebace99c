import sql, { empty } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface CiLoginRow {
  id: number;
  /** Of its rule, with the project: `<project>/<name>`. */
  name: string;
  ruleId: number;
  epoch: number;
  revoked: boolean;
  /** Negative when over. */
  expiresInMs: number;
}

const LOGIN = sql`p.id, (select name from principals where id = p.parent_id) as name, p.parent_id as "ruleId", p.epoch, p.disabled_at is not null as revoked,
  (extract(epoch from p.expires_at - now()) * 1000)::float8 as "expiresInMs"`;

/** What exactly this token has opened and has not ended by itself, revoked ones included; the oldest rule's first. */
export function selectTokenSessions(db: Queryable, tokenHash: Buffer): Promise<CiLoginRow[]> {
  return db.query<CiLoginRow>(sql`
    select ${LOGIN} from ci_sessions s join principals p on p.id = s.principal_id
    where s.token_hash = ${tokenHash} and p.expires_at > now() order by s.rule_id`);
}

/** Keeps the rule as it is until the transaction ends, and counts its open sessions. */
export async function lockForSession(
  tx: Queryable,
  ruleId: number,
  most: number,
): Promise<{ epoch: number; open: number } | undefined> {
  const locked = await tx.first(sql`select 1 as found from trust_rules where principal_id = ${ruleId} for update`);
  if (locked === undefined) return undefined;
  return tx.first<{ epoch: number; open: number }>(sql`
    select p.epoch, (select count(*)::int from (
             select 1 from principals c where c.parent_id = p.id and c.expires_at > now() and c.disabled_at is null limit ${most}) o
           ) as open
    from principals p join trust_rules r on r.principal_id = p.id join issuers i on i.id = r.issuer_id
    where p.id = ${ruleId} and p.disabled_at is null and i.disabled_at is null`);
}

export function findByClaims(tx: Queryable, ruleId: number, claimsHash: Buffer): Promise<CiLoginRow | undefined> {
  return tx.first<CiLoginRow>(sql`
    select ${LOGIN} from ci_sessions s join principals p on p.id = s.principal_id
    where s.rule_id = ${ruleId} and s.claims_hash = ${claimsHash}`);
}

export async function insertSession(
  tx: Queryable,
  session: {
    ruleId: number;
    name: string;
    minutes: number;
    tokenHash: Buffer;
    claimsHash: Buffer;
    claims: object;
    tokenExpiresAt: Date;
  },
): Promise<CiLoginRow> {
  const row = await tx.first<CiLoginRow>(sql`
    with p as (
      insert into principals (kind, name, parent_id, expires_at)
      values ('ci_session', ${session.name}, ${session.ruleId}, now() + make_interval(mins => ${session.minutes})) returning *
    ), s as (
      insert into ci_sessions (principal_id, rule_id, token_hash, claims_hash, claims, token_expires_at)
      select id, ${session.ruleId}, ${session.tokenHash}, ${session.claimsHash}, ${JSON.stringify(session.claims)}::jsonb,
             ${session.tokenExpiresAt} from p
    )
    select ${LOGIN} from p`);
  return row!;
}

/** Of a token that is still good after its session has ended. */
export async function renewSession(tx: Queryable, id: number, minutes: number): Promise<CiLoginRow> {
  const row = await tx.first<CiLoginRow>(sql`
    update principals p set expires_at = now() + make_interval(mins => ${minutes}), epoch = epoch + 1 where id = ${id}
    returning ${LOGIN}`);
  return row!;
}

export interface CiSessionRow {
  id: number;
  name: string;
  rule: string;
  issuer: string;
  claims: Record<string, unknown>;
  openedAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
}

/** Newest first, those that are over included. */
export function selectSessions(
  db: Queryable,
  projectId: number,
  before: number | undefined,
  limit: number,
): Promise<CiSessionRow[]> {
  return db.query<CiSessionRow>(sql`
    select p.id, p.name, r.name as rule, i.name as issuer, s.claims, p.created_at as "openedAt", p.expires_at as "expiresAt",
           p.disabled_at as "revokedAt"
    from trust_rules r join ci_sessions s on s.rule_id = r.principal_id join principals p on p.id = s.principal_id
    join issuers i on i.id = r.issuer_id
    where r.project_id = ${projectId} ${before === undefined ? empty : sql`and p.id < ${before}`}
    order by p.id desc limit ${limit}`);
}

/** Its rule's name, with the project; undefined when the project has no such session that is open. */
export function revokeSession(tx: Queryable, projectId: number, id: number): Promise<{ name: string } | undefined> {
  return tx.first<{ name: string }>(sql`
    update principals p set disabled_at = now(), epoch = epoch + 1
    from ci_sessions s join trust_rules r on r.principal_id = s.rule_id
    where p.id = ${id} and s.principal_id = p.id and r.project_id = ${projectId} and p.disabled_at is null
      and p.expires_at > now()
    returning (select name from principals where id = p.parent_id) as name`);
}

/** What was over a week ago, and whose token cannot be used again; returns how many. */
export async function deleteOldSessions(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from principals where id in (
      select p.id from principals p join ci_sessions s on s.principal_id = p.id
      where p.expires_at < now() - interval '7 days' and s.token_expires_at < now() - interval '7 days' limit ${limit}
    ) returning id`);
  return rows.length;
}
