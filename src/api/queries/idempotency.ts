import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface KeyedRequest {
  readonly principalId: number;
  readonly route: string;
  readonly key: Buffer;
}

/** True when the key is ours to use now; false when an earlier request of the last day has it. */
export async function claimKey(
  db: Queryable,
  { principalId, route, key }: KeyedRequest,
  request: Buffer,
): Promise<boolean> {
  const row = await db.first(sql`
    insert into idempotency_keys as k (principal_id, route, key, request) values (${principalId}, ${route}, ${key}, ${request})
    on conflict (principal_id, route, key) do update
      set request = excluded.request, status = null, key_id = null, nonce = null, ciphertext = null, created_at = now()
      where k.created_at < now() - interval '24 hours'
    returning 1 as ok`);
  return row !== undefined;
}

export interface KeptRow {
  request: Buffer;
  status: number | null;
  keyId: string;
  nonce: Buffer;
  ciphertext: Buffer;
  ageSeconds: number;
}

export function selectKept(db: Queryable, { principalId, route, key }: KeyedRequest): Promise<KeptRow | undefined> {
  return db.first<KeptRow>(sql`
    select request, status, key_id as "keyId", nonce, ciphertext, extract(epoch from now() - created_at)::float8 as "ageSeconds"
    from idempotency_keys where principal_id = ${principalId} and route = ${route} and key = ${key}`);
}

export async function keepAnswer(
  db: Queryable,
  { principalId, route, key }: KeyedRequest,
  answer: { status: number; keyId: string; nonce: Buffer; ciphertext: Buffer },
): Promise<void> {
  await db.query(sql`
    update idempotency_keys
    set status = ${answer.status}, key_id = ${answer.keyId}, nonce = ${answer.nonce}, ciphertext = ${answer.ciphertext}
    where principal_id = ${principalId} and route = ${route} and key = ${key}`);
}

export async function releaseKey(db: Queryable, { principalId, route, key }: KeyedRequest): Promise<void> {
  await db.query(sql`
    delete from idempotency_keys where principal_id = ${principalId} and route = ${route} and key = ${key} and status is null`);
}

export async function deleteOldKeys(db: Queryable): Promise<void> {
  await db.query(sql`delete from idempotency_keys where created_at < now() - interval '24 hours'`);
}
