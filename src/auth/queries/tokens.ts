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

const COLUMNS = sql`id, name, actions, paths, expires_at as "expiresAt", last_used_at as "lastUsedAt", created_at as "createdAt"`;

export async function insertToken(
  tx: Queryable,
  token: { ownerId: number; name: string; secretHash: Buffer; actions: string[]; paths: string[] | null; days: number },
): Promise<TokenRow> {
  const row = await tx.first<TokenRow>(sql`
    insert into tokens (principal_id, name, secret_hash, actions, paths, expires_at)
    values (${token.ownerId}, ${token.name}, ${token.secretHash}, ${token.actions}, ${token.paths},
            now() + make_interval(days => ${token.days}))
    returning ${COLUMNS}`);
  return row!;
}

/** Not revoked, newest first; expired ones stay visible. */
export function selectTokens(
  db: Queryable,
  ownerId: number,
  before: number | undefined,
  limit: number,
): Promise<TokenRow[]> {
  return db.query<TokenRow>(sql`
    select ${COLUMNS} from tokens
    where principal_id = ${ownerId} and revoked_at is null ${before === undefined ? empty : sql`and id < ${before}`}
    order by id desc limit ${limit}`);
}

/** The token's name, or undefined when the owner has no such live token. */
export async function revokeToken(tx: Queryable, ownerId: number, id: number): Promise<string | undefined> {
  const row = await tx.first<{ name: string }>(sql`
    update tokens set revoked_at = now() where id = ${id} and principal_id = ${ownerId} and revoked_at is null
    returning name`);
  return row?.name;
}
