import { decodeJwt } from 'jose';
import sql from 'sql-template-tag';
import { expect, test } from 'vitest';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { ANONYMOUS, CATALOG, type Principal } from '../../src/auth/principal.ts';
import { createRegistryTokens, TokenTooLarge, type AccessEntry } from '../../src/auth/registry-tokens.ts';
import { createSecrets } from '../../src/auth/secrets.ts';
import { testDatabase } from '../harness/database.ts';
import { MASTER_KEY, ORIGIN, OTHER_ORIGIN } from './harness.ts';

const { db, another } = await testDatabase();
let clock = 1_800_000_000_000;
const keys = createKeyRing(db, createSecrets(MASTER_KEY));
const tokens = createRegistryTokens(keys, [ORIGIN, OTHER_ORIGIN], () => clock);

const jane: Principal = { kind: 'user', id: 7, name: 'jane', admin: false, epoch: 3, credential: 'password' };
const access: AccessEntry[] = [
  { type: 'repository', name: 'acme/web', actions: ['pull', 'push'] },
  { type: 'registry', name: 'catalog', actions: ['*'] },
];

test('carry who asked, what was granted, and what the credential allows', async () => {
  const limits = { actions: ['pull', 'push'], paths: ['acme/**'] } as const;
  const { token, expiresIn, issuedAt } = await tokens.issue({ ...jane, credential: 'token', limits }, access, ORIGIN);
  expect(expiresIn).toBe(300);
  expect(issuedAt.getTime()).toBe(clock);
  expect(await tokens.verify(token)).toEqual({
    ...jane,
    credential: 'registry_token',
    limits,
    expiresAt: clock + 300_000,
    access: new Map([
      ['acme/web', ['pull', 'push']],
      [CATALOG, ['pull']],
    ]),
  });
});

test('of nobody in particular have an empty subject', async () => {
  const { token } = await tokens.issue(ANONYMOUS, [], ORIGIN);
  expect(decodeJwt(token)).toMatchObject({ sub: '', pid: 0, access: [] });
  expect(await tokens.verify(token)).toMatchObject({ kind: 'anonymous', id: 0, name: 'anonymous', access: new Map() });
});

test('end with the credential that they were exchanged for', async () => {
  const { token, expiresIn } = await tokens.issue({ ...jane, expiresAt: clock + 42_000 }, [], ORIGIN);
  expect(expiresIn).toBe(42);
  clock += 43_000 + 10_000;
  await expect(tokens.verify(token)).rejects.toBeInstanceOf(InvalidCredentials);
});

test('end after five minutes, remembered or not', async () => {
  const { token } = await tokens.issue(jane, access, ORIGIN);
  await tokens.verify(token);
  clock += 299_000;
  await tokens.verify(token);
  clock += 12_000;
  await expect(tokens.verify(token)).rejects.toBeInstanceOf(InvalidCredentials);
  const forgetful = createRegistryTokens(keys, [ORIGIN, OTHER_ORIGIN], () => clock);
  await expect(forgetful.verify(token)).rejects.toBeInstanceOf(InvalidCredentials);
});

test('are taken by another replica, whichever of the names they were issued under', async () => {
  const there = createRegistryTokens(
    createKeyRing(another(2), createSecrets(MASTER_KEY)),
    [ORIGIN, OTHER_ORIGIN],
    () => clock,
  );
  for (const origin of [ORIGIN, OTHER_ORIGIN]) {
    const { token } = await tokens.issue(jane, access, origin);
    expect((await there.verify(token)).name).toBe('jane');
  }
});

test('are refused by a hub of another name, and by one with other keys', async () => {
  const { token } = await tokens.issue(jane, access, ORIGIN);
  const renamed = createRegistryTokens(keys, ['https://other.example.com'], () => clock);
  await expect(renamed.verify(token)).rejects.toBeInstanceOf(InvalidCredentials);
});

test('that were verified are remembered: no query, and the same principal', async () => {
  const { token } = await tokens.issue(jane, access, ORIGIN);
  const first = await tokens.verify(token);
  const start = performance.now();
  for (let i = 0; i < 1_000; i++) expect(await tokens.verify(token)).toBe(first);
  expect(performance.now() - start).toBeLessThan(200);
});

test('are not remembered beyond their key', async () => {
  let ticks = 0;
  const ring = createKeyRing(db, createSecrets(MASTER_KEY), () => ticks);
  const here = createRegistryTokens(ring, [ORIGIN], () => clock);
  const { token } = await here.issue(jane, access, ORIGIN);
  await here.verify(token);
  await db.query(sql`update signing_keys set signs_until = now(), retired_at = now()`);
  ticks += 60_001;
  await here.issue(jane, access, ORIGIN);
  await expect(here.verify(token)).rejects.toBeInstanceOf(InvalidCredentials);
});

test('fit into a header: what does not is refused when it is asked for', async () => {
  const many = Array.from({ length: 100 }, (_, i) => ({
    type: 'repository' as const,
    name: `project/${'x'.repeat(100)}-${i}`,
    actions: ['pull'],
  }));
  await expect(tokens.issue(jane, many, ORIGIN)).rejects.toBeInstanceOf(TokenTooLarge);
  const { token } = await tokens.issue(jane, many.slice(0, 30), ORIGIN);
  expect(token.length).toBeLessThanOrEqual(8_192);
});
