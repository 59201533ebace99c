import sql, { empty } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface TokenRow {
  id: number;
  name: string;
  actions: string[];
  paths: string[] | null;
  expiresAt: Date;
  lastUsedAt: Date | null;
  createdAt: Date;
}

const COLUMNS = sql`t.id, t.name, t.actions, t.paths, t.expires_at as "expiresAt", t.last_used_at as "lastUsedAt",
  t.created_at as "createdAt"`;

/** Undefined when the owner is gone. */
export function insertToken(
  tx: Queryable,
  token: { ownerId: number; name: string; secretHash: Buffer; actions: string[]; paths: string[] | null; days: number },
): Promise<(TokenRow & { owner: string }) | undefined> {
  return tx.first<TokenRow & { owner: string }>(sql`
    with p as (
      select id, name from principals where id = ${token.ownerId} for key share
    ), t as (
      insert into tokens (principal_id, name, secret_hash, actions, paths, expires_at)
      select id, ${token.name}, ${token.secretHash}, ${token.actions}, ${token.paths}, now() + make_interval(days => ${token.days})
      from p returning *
    )
    select ${COLUMNS}, p.name as owner from t, p`);
}

/** Not revoked, newest first; expired ones stay visible. */
export function selectTokens(
  db: Queryable,
  ownerId: number,
  before: number | undefined,
  limit: number,
): Promise<TokenRow[]> {
  return db.query<TokenRow>(sql`
    select ${COLUMNS} from tokens t
    where t.principal_id = ${ownerId} and t.revoked_at is null ${before === undefined ? empty : sql`and t.id < ${before}`}
    order by t.id desc limit ${limit}`);
}

/** The names of token and owner, or undefined when the owner has no such live token. */
export function revokeToken(
  tx: Queryable,
  ownerId: number,
  id: number,
): Promise<{ name: string; owner: string } | undefined> {
  return tx.first<{ name: string; owner: string }>(sql`
    update tokens t set revoked_at = now() from principals p
    where t.id = ${id} and t.principal_id = ${ownerId} and t.revoked_at is null and p.id = t.principal_id
    returning t.name, p.name as owner`);
}
