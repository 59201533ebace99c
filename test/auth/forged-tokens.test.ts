import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { importJWK, type JWK } from 'jose';
import request from 'supertest';
import { afterAll, expect, test } from 'vitest';
import sql from 'sql-template-tag';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { createSecrets } from '../../src/auth/secrets.ts';
import { forgeries } from './forgeries.ts';
import { bearer, MASTER_KEY, newUser, ORIGIN, testAuth } from './harness.ts';

const auth = await testAuth();
const { db, tokens } = auth;

let fetched = 0;
const trap = createServer((_, response) => {
  fetched++;
  response.end('{}');
}).listen(0, '127.0.0.1');
await once(trap, 'listening');
afterAll(() => trap.close());

const user = await newUser(db);
const principal = { ...user, kind: 'user', epoch: 1, credential: 'password' } as const;
const { token: valid } = await tokens.issue(
  principal,
  [{ type: 'repository', name: 'acme/web', actions: ['pull'] }],
  ORIGIN,
);
const { token: other } = await tokens.issue({ ...principal, admin: true }, [], ORIGIN);
const row = await db.first<{ secretId: number; jwk: JWK }>(
  sql`select secret_id as "secretId", public_jwk as jwk from signing_keys`,
);
const privateJwk = JSON.parse((await createSecrets(MASTER_KEY).read(db, row!.secretId)).toString()) as JWK;

const vectors = await forgeries({
  valid,
  other,
  jwk: row!.jwk,
  hubKey: await importJWK(privateJwk, 'ES256'),
  now: Math.floor(Date.now() / 1000),
  trap: `http://127.0.0.1:${(trap.address() as AddressInfo).port}`,
});

test('the tokens that the forgeries start from are valid', async () => {
  expect(await tokens.verify(valid)).toMatchObject({ name: user.name });
  expect(await tokens.verify(other)).toMatchObject({ admin: true });
});

test(`there are enough of them (${vectors.length}), and no two are the same`, () => {
  expect(vectors.length).toBeGreaterThanOrEqual(60);
  expect(new Set(vectors.map(([name]) => name)).size).toBe(vectors.length);
  expect(new Set(vectors.map(([, token]) => token)).size).toBe(vectors.length);
});

test.each(vectors)('%s', async (_, token) => {
  const refused = await tokens.verify(token).then(
    (accepted) => accepted,
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(InvalidCredentials);
  expect((refused as Error).message).toBe('The user name, password or token is not valid.');
  await expect(auth.authenticator.authenticate(bearer(token))).rejects.toBeInstanceOf(InvalidCredentials);
});

test('over HTTP all that can be a header gets the same 401', async () => {
  const bodies = new Set<string>();
  for (const [name, token] of vectors) {
    // eslint-disable-next-line no-control-regex
    if (/[\r\n\0]/.test(token) || token.length > 15_000) continue;
    const answer = await request(auth.callback).get('/auth/token').set('Authorization', bearer(token));
    expect(answer.status, name).toBe(401);
    bodies.add(answer.text);
  }
  expect(bodies.size).toBe(1);
});

test('nothing was fetched on the way, and nothing was reported as a fault of the hub', () => {
  expect(fetched).toBe(0);
  expect(auth.reported).toEqual([]);
});
