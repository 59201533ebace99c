import sql from 'sql-template-tag';
import { beforeEach, expect, test } from 'vitest';
import { createKeyRing } from '../../src/auth/keys.ts';
import { createSecrets } from '../../src/auth/secrets.ts';
import { testDatabase } from '../harness/database.ts';
import { MASTER_KEY } from './harness.ts';

const { db, another } = await testDatabase();
let clock = 0;
const ring = (database = db) => createKeyRing(database, createSecrets(MASTER_KEY), () => clock);
const count = async () => (await db.first<{ n: number }>(sql`select count(*)::int as n from signing_keys`))!.n;
const MINUTE = 60_001;

beforeEach(async () => {
  await db.query(sql`delete from signing_keys`);
  await db.query(sql`delete from secrets`);
});

test('eight workers that start at once make one key', async () => {
  const rings = Array.from({ length: 8 }, () => ring(another(2)));
  const signers = await Promise.all(rings.map((each) => each.signer()));
  expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1);
  expect(await count()).toBe(1);
  expect(signers[0]!.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test('the published set has no private part, and says what the keys are for', async () => {
  const keys = ring();
  const { kid } = await keys.signer();
  const published = await keys.jwks();
  expect(published).toEqual({
    keys: [{ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), kid, alg: 'ES256', use: 'sig' }],
  });
  expect((await ring().jwks()).keys).toEqual(published.keys);
});

test('a restart signs with the same key, without asking again for each signature', async () => {
  const { kid } = await ring().signer();
  const keys = ring();
  expect((await keys.signer()).kid).toBe(kid);
  await db.query(sql`delete from signing_keys`);
  expect((await keys.signer()).kid).toBe(kid);
});

test('a key signs for 30 days; then another one does, and the old one still verifies until it is retired', async () => {
  const keys = ring();
  const old = await keys.signer();
  const row = await db.first<{ signs: number; published: number }>(sql`
    select round(extract(epoch from signs_until - now()) / 86400)::int as signs,
           round(extract(epoch from retired_at - now()) / 86400)::int as published from signing_keys`);
  expect(row).toEqual({ signs: 30, published: 31 });

  await db.query(sql`update signing_keys set signs_until = now()`);
  clock += MINUTE;
  const next = await keys.signer();
  expect(next.kid).not.toBe(old.kid);
  expect(await keys.verifier(old.kid)).toBeDefined();
  expect((await keys.jwks()).keys.map(({ kid }) => kid)).toEqual([next.kid, old.kid]);

  await db.query(sql`update signing_keys set retired_at = now() where kid = ${old.kid}`);
  clock += MINUTE;
  expect(await keys.verifier(old.kid)).toBeUndefined();
  expect(keys.knows(old.kid)).toBe(false);
  expect((await keys.jwks()).keys.map(({ kid }) => kid)).toEqual([next.kid]);
});

test('time passes in memory too: nothing has to be read again for a key to end', async () => {
  const keys = ring();
  const { kid } = await keys.signer();
  expect(keys.knows(kid)).toBe(true);
  clock += 31 * 86_400_000 + 1;
  expect(keys.knows(kid)).toBe(false);
  expect((await keys.signer()).kid).toBe(kid);
});

test('private halves go when their key is retired', async () => {
  await ring().signer();
  await db.query(sql`update signing_keys set signs_until = now(), retired_at = now()`);
  clock += MINUTE;
  await ring().signer();
  expect(await count()).toBe(1);
  expect((await db.first<{ n: number }>(sql`select count(*)::int as n from secrets`))!.n).toBe(1);
});

test('what another replica has just signed with is known at once', async () => {
  const [here, there] = [ring(), ring(another(2))];
  await here.signer();
  await there.signer();
  await db.query(sql`update signing_keys set signs_until = now()`);
  const fresh = ring(another(2));
  const { kid } = await fresh.signer();
  expect(here.knows(kid)).toBe(false);
  const found = await Promise.all(Array.from({ length: 20 }, () => here.verifier(kid)));
  expect(found.every((key) => key !== undefined)).toBe(true);
});

test.each([
  '',
  'x',
  '../../dev/null',
  "' or 1=1 --",
  'https://evil.example/key',
  'a'.repeat(42),
  'a'.repeat(44),
  `${'a'.repeat(42)}=`,
])('key id %j is not even looked up', async (kid) => {
  const broken = { query: () => Promise.reject(new Error('asked Postgres')) };
  const keys = createKeyRing(broken as never, createSecrets(MASTER_KEY));
  expect(await keys.verifier(kid)).toBeUndefined();
});
