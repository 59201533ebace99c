import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface IssuerRow {
  id: number;
  name: string;
  url: string;
  kind: string;
  pasted: boolean;
  http: boolean;
  privateAddresses: boolean;
  ca: string | null;
  keys: { keys: Record<string, unknown>[] };
  /** Text, so that the microseconds stay. */
  keysAt: Date;
  keysAgeMs: number;
  disabled: boolean;
  createdAt: Date;
}

const COLUMNS = sql`id, name, url, kind, pasted, http, private_addresses as "privateAddresses", ca, keys, keys_at as "keysAt",
  (extract(epoch from now() - keys_at) * 1000)::float8 as "keysAgeMs", disabled_at is not null as disabled,
  created_at as "createdAt"`;

export interface IssuerFields {
  http: boolean;
  privateAddresses: boolean;
  ca: string | null;
  keys: object;
  disabled: boolean;
}

/** Undefined when name or URL are taken. */
export function insertIssuer(
  tx: Queryable,
  issuer: Omit<IssuerFields, 'disabled'> & { name: string; url: string; kind: string; pasted: boolean },
): Promise<IssuerRow | undefined> {
  return tx.first<IssuerRow>(sql`
    insert into issuers (name, url, kind, pasted, http, private_addresses, ca, keys)
    values (${issuer.name}, ${issuer.url}, ${issuer.kind}, ${issuer.pasted}, ${issuer.http}, ${issuer.privateAddresses},
            ${issuer.ca}, ${JSON.stringify(issuer.keys)})
    on conflict do nothing returning ${COLUMNS}`);
}

export function selectIssuers(db: Queryable, after: string | undefined, limit: number): Promise<IssuerRow[]> {
  return db.query<IssuerRow>(sql`
    select ${COLUMNS} from issuers where name > ${after ?? ''} order by name limit ${limit}`);
}

export function selectIssuer(db: Queryable, name: string): Promise<IssuerRow | undefined> {
  return db.first<IssuerRow>(sql`select ${COLUMNS} from issuers where name = ${name}`);
}

/** By the claim `iss`; a disabled one is none. */
export function selectIssuerByUrl(db: Queryable, url: string): Promise<IssuerRow | undefined> {
  return db.first<IssuerRow>(sql`select ${COLUMNS} from issuers where url = ${url} and disabled_at is null`);
}

export function lockIssuer(tx: Queryable, name: string): Promise<IssuerRow | undefined> {
  return tx.first<IssuerRow>(sql`select ${COLUMNS} from issuers where name = ${name} for update`);
}

export async function updateIssuer(tx: Queryable, id: number, fields: IssuerFields): Promise<IssuerRow> {
  const row = await tx.first<IssuerRow>(sql`
    update issuers set http = ${fields.http}, private_addresses = ${fields.privateAddresses}, ca = ${fields.ca},
      keys = ${JSON.stringify(fields.keys)}, keys_at = now(),
      disabled_at = case when ${fields.disabled} then coalesce(disabled_at, now()) end
    where id = ${id} returning ${COLUMNS}`);
  return row!;
}

/** What was fetched just now, unless an administrator changed the issuer meanwhile. */
export async function storeKeys(db: Queryable, issuer: IssuerRow, keys: object): Promise<void> {
  await db.query(sql`
    update issuers set keys = ${JSON.stringify(keys)}, keys_at = now()
    where id = ${issuer.id} and url = ${issuer.url} and not pasted and ca is not distinct from ${issuer.ca}
      and http = ${issuer.http} and private_addresses = ${issuer.privateAddresses}`);
}

/** Whether it was removed; not while rules rest on it. */
export async function deleteIssuer(tx: Queryable, id: number): Promise<boolean> {
  const row = await tx.first(sql`
    delete from issuers where id = ${id} and not exists (select 1 from trust_rules where issuer_id = ${id}) returning id`);
  return row !== undefined;
}
