import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface LoginRow {
  id: number;
  name: string;
  epoch: number;
  admin: boolean;
  passwordHash: string | null;
  /** Disabled or expired. */
  closed: boolean;
}

export function findLogin(db: Queryable, name: string): Promise<LoginRow | undefined> {
  return db.first<LoginRow>(sql`
    select p.id, p.name, p.epoch, u.admin, u.password_hash as "passwordHash",
           (p.disabled_at is not null or coalesce(p.expires_at <= now(), false)) as closed
    from principals p join users u on u.principal_id = p.id where p.kind = 'user' and p.name = ${name}`);
}

export interface TokenLoginRow {
  tokenId: number;
  principalId: number;
  kind: 'user' | 'robot';
  name: string;
  epoch: number;
  admin: boolean;
  actions: string[];
  paths: string[] | null;
  expiresInMs: number;
}

/** The live token with this hash, of a live person or robot. */
export function findTokenLogin(db: Queryable, secretHash: Buffer): Promise<TokenLoginRow | undefined> {
  return db.first<TokenLoginRow>(sql`
    select t.id as "tokenId", p.id as "principalId", p.kind, p.name, p.epoch, coalesce(u.admin, false) as admin,
           t.actions, t.paths, (extract(epoch from t.expires_at - now()) * 1000)::float8 as "expiresInMs"
    from tokens t join principals p on p.id = t.principal_id
    left join users u on u.principal_id = p.id and p.kind = 'user'
    left join robots r on r.principal_id = p.id and p.kind = 'robot'
    where t.secret_hash = ${secretHash} and t.revoked_at is null and t.expires_at > now()
      and (u.principal_id is not null or r.principal_id is not null)
      and p.disabled_at is null and coalesce(p.expires_at > now(), true)`);
}

/** At most once a minute for each token, whatever the number of replicas. */
export async function touchTokens(db: Queryable, ids: readonly number[]): Promise<void> {
  await db.query(sql`
    update tokens set last_used_at = now()
    where id in (select id from tokens where id = any(${ids}) and coalesce(last_used_at < now() - interval '1 minute', true)
                 order by id for update skip locked)`);
}
