import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface Known {
  id: number;
  name: string;
  /** Disabled or expired. */
  closed: boolean;
}

/** Whose identity it is, if an enabled provider knows it; locks the account, and notes that it was used. */
export function useIdentity(
  tx: Queryable,
  providerId: number,
  issuer: string,
  subject: string,
): Promise<Known | undefined> {
  return tx.first<Known>(sql`
    with used as (
      update identities set last_used_at = now()
      where provider_id = ${providerId} and issuer = ${issuer} and subject = ${subject}
        and exists (select 1 from providers where id = ${providerId} and enabled for key share)
      returning principal_id
    )
    select p.id, p.name, (p.disabled_at is not null or coalesce(p.expires_at <= now(), false)) as closed
    from principals p where p.id in (select principal_id from used) and p.kind = 'user' for no key update`);
}

/** One at a time, beside those who are known already. False when the provider was disabled or removed. */
export async function lockEnabled(tx: Queryable, providerId: number): Promise<boolean> {
  const row = await tx.first(
    sql`select 1 as found from providers where id = ${providerId} and enabled for no key update`,
  );
  return row !== undefined;
}

export async function insertIdentity(
  tx: Queryable,
  identity: { providerId: number; issuer: string; subject: string; principalId: number },
): Promise<void> {
  await tx.query(sql`
    insert into identities (provider_id, issuer, subject, principal_id)
    values (${identity.providerId}, ${identity.issuer}, ${identity.subject}, ${identity.principalId})`);
}

/** As it is after all that the sign-in changed. */
export function selectAdmitted(
  tx: Queryable,
  id: number,
): Promise<{ id: number; name: string; admin: boolean; epoch: number } | undefined> {
  return tx.first<{ id: number; name: string; admin: boolean; epoch: number }>(sql`
    select p.id, p.name, u.admin, p.epoch from principals p join users u on u.principal_id = p.id where p.id = ${id}`);
}

export interface IdentityRow {
  id: number;
  provider: string;
  issuer: string;
  subject: string;
  createdAt: Date;
  lastUsedAt: Date;
}

export function selectIdentities(db: Queryable, principalId: number): Promise<IdentityRow[]> {
  return db.query<IdentityRow>(sql`
    select i.id, p.name as provider, i.issuer, i.subject, i.created_at as "createdAt", i.last_used_at as "lastUsedAt"
    from identities i join providers p on p.id = i.provider_id
    where i.principal_id = ${principalId} order by i.id desc`);
}

export function deleteIdentity(
  tx: Queryable,
  principalId: number,
  id: number,
): Promise<{ provider: string; issuer: string; subject: string } | undefined> {
  return tx.first<{ provider: string; issuer: string; subject: string }>(sql`
    delete from identities i using providers p
    where i.id = ${id} and i.principal_id = ${principalId} and p.id = i.provider_id
    returning p.name as provider, i.issuer, i.subject`);
}
