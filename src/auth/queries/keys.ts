import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface SecretRow {
  purpose: string;
  name: string;
  keyId: string;
  nonce: Buffer;
  ciphertext: Buffer;
}

export async function insertSecret(tx: Queryable, secret: SecretRow): Promise<number> {
  const row = await tx.first<{ id: number }>(sql`
    insert into secrets (purpose, name, key_id, nonce, ciphertext)
    values (${secret.purpose}, ${secret.name}, ${secret.keyId}, ${secret.nonce}, ${secret.ciphertext}) returning id`);
  return row!.id;
}

export function findSecret(db: Queryable, id: number): Promise<SecretRow | undefined> {
  return db.first<SecretRow>(sql`
    select purpose, name, key_id as "keyId", nonce, ciphertext from secrets where id = ${id}`);
}

export async function deleteSecret(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from secrets where id = ${id}`);
}

export interface SigningKeyRow {
  kid: string;
  publicJwk: Record<string, unknown>;
  secretId: number;
  /** How long it still signs and is published; negative when over. */
  signsForMs: number;
  publishedForMs: number;
}

/** Published keys, the one that signs longest first. */
export function selectSigningKeys(db: Queryable): Promise<SigningKeyRow[]> {
  return db.query<SigningKeyRow>(sql`
    select kid, public_jwk as "publicJwk", secret_id as "secretId",
           (extract(epoch from signs_until - now()) * 1000)::float8 as "signsForMs",
           (extract(epoch from retired_at - now()) * 1000)::float8 as "publishedForMs"
    from signing_keys where retired_at > now() order by signs_until desc, kid`);
}

export async function insertSigningKey(
  tx: Queryable,
  key: { kid: string; publicJwk: object; secretId: number; signsSeconds: number; publishedSeconds: number },
): Promise<void> {
  await tx.query(sql`
    insert into signing_keys (kid, public_jwk, secret_id, signs_until, retired_at)
    values (${key.kid}, ${JSON.stringify(key.publicJwk)}, ${key.secretId},
            now() + make_interval(secs => ${key.signsSeconds}), now() + make_interval(secs => ${key.publishedSeconds}))`);
}

/** Removes what nothing can be verified with any more, private halves included. */
export async function deleteRetiredKeys(tx: Queryable): Promise<void> {
  await tx.query(sql`
    with gone as (delete from signing_keys where retired_at <= now() returning secret_id)
    delete from secrets where id in (select secret_id from gone)`);
}

/** Ids of the master keys that something is encrypted under. */
export async function selectKeyIds(db: Queryable): Promise<string[]> {
  return (await db.query<{ id: string }>(sql`select distinct key_id as id from secrets`)).map((row) => row.id);
}
