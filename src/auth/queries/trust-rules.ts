import sql, { empty } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface TrustRuleRow {
  id: number;
  name: string;
  subject: string;
  projectId: number;
  issuer: string;
  issuerKind: string;
  audience: string;
  claims: Record<string, string>;
  sessionMinutes: number;
  disabled: boolean;
  epoch: number;
  createdAt: Date;
}

const COLUMNS = sql`p.id, r.name, p.name as subject, r.project_id as "projectId", i.name as issuer, i.kind as "issuerKind", r.audience,
  r.claims, r.session_minutes as "sessionMinutes", p.disabled_at is not null as disabled, p.epoch, p.created_at as "createdAt"`;

const FROM = sql`trust_rules r join principals p on p.id = r.principal_id join issuers i on i.id = r.issuer_id`;

/** Undefined when the name is taken. */
export async function insertRule(
  tx: Queryable,
  rule: {
    projectId: number;
    issuerId: number;
    name: string;
    subject: string;
    audience: string;
    claims: object;
    sessionMinutes: number;
  },
): Promise<number | undefined> {
  const row = await tx.first<{ id: number }>(sql`
    with p as (
      insert into principals (kind, name) values ('trust_rule', ${rule.subject}) on conflict do nothing returning id
    )
    insert into trust_rules (principal_id, project_id, issuer_id, name, audience, claims, session_minutes)
    select id, ${rule.projectId}, ${rule.issuerId}, ${rule.name}, ${rule.audience}, ${JSON.stringify(rule.claims)}::jsonb,
           ${rule.sessionMinutes} from p returning principal_id as id`);
  return row?.id;
}

export async function countRules(tx: Queryable, projectId: number): Promise<number> {
  const row = await tx.first<{ n: number }>(sql`
    select count(*)::int as n from trust_rules where project_id = ${projectId}`);
  return row!.n;
}

export function selectRules(
  db: Queryable,
  projectId: number,
  after: string | undefined,
  limit: number,
): Promise<TrustRuleRow[]> {
  return db.query<TrustRuleRow>(sql`
    select ${COLUMNS} from ${FROM} where r.project_id = ${projectId} and r.name > ${after ?? ''} order by r.name limit ${limit}`);
}

export function selectRule(db: Queryable, projectId: number, name: string): Promise<TrustRuleRow | undefined> {
  return db.first<TrustRuleRow>(
    sql`select ${COLUMNS} from ${FROM} where r.project_id = ${projectId} and r.name = ${name}`,
  );
}

/** Locks the rule against changes, and against sessions that are being opened. */
export async function lockRule(tx: Queryable, projectId: number, name: string): Promise<TrustRuleRow | undefined> {
  const row = await tx.first<{ id: number }>(sql`
    select principal_id as id from trust_rules where project_id = ${projectId} and name = ${name} for update`);
  return row && selectRule(tx, projectId, name);
}

/** What sessions rested on has changed: those that are open end, and may be opened again under what holds now. */
export async function updateRule(
  tx: Queryable,
  id: number,
  rule: { audience: string; claims: object; sessionMinutes: number; disabled: boolean },
): Promise<void> {
  await tx.query(sql`
    update trust_rules set audience = ${rule.audience}, claims = ${JSON.stringify(rule.claims)}, session_minutes = ${rule.sessionMinutes}
    where principal_id = ${id}`);
  await tx.query(sql`
    update principals set epoch = epoch + 1, disabled_at = case when ${rule.disabled} then coalesce(disabled_at, now()) end
    where id = ${id}`);
  await tx.query(sql`
    update principals set epoch = epoch + 1, expires_at = now() where parent_id = ${id} and expires_at > now()`);
}

/** With its sessions and grants. */
export async function deleteRules(tx: Queryable, ids: readonly number[]): Promise<void> {
  await tx.query(sql`delete from principals where parent_id = any(${ids}) and kind = 'ci_session'`);
  await tx.query(sql`delete from principals where id = any(${ids}) and kind = 'trust_rule'`);
}

export async function selectRuleIds(tx: Queryable, projectId: number): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    select principal_id as id from trust_rules where project_id = ${projectId} order by principal_id for update`);
  return rows.map((row) => row.id);
}

/** Ends the sessions of all rules on the issuer. */
export async function endSessionsOfIssuer(tx: Queryable, issuerId: number): Promise<void> {
  await tx.query(sql`
    update principals set epoch = epoch + 1, expires_at = now()
    where expires_at > now() and parent_id in (select principal_id from trust_rules where issuer_id = ${issuerId})`);
}

const MOST_CANDIDATES = 1_000;

/** Rules that a token of the issuer for these audiences could be meant for, in the order in which they are tried. */
export function selectCandidates(
  db: Queryable,
  issuerId: number,
  audiences: readonly string[],
  subject: string | undefined,
): Promise<TrustRuleRow[]> {
  return db.query<TrustRuleRow>(sql`
    select ${COLUMNS} from ${FROM}
    where r.issuer_id = ${issuerId} and i.disabled_at is null and p.disabled_at is null and r.audience = any(${audiences})
      ${subject === undefined ? empty : sql`and p.name = ${subject}`}
    order by p.id limit ${MOST_CANDIDATES}`);
}
