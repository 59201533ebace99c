/** What only time brings, on clocks that the test turns: two replicas, each with its own memory. */
import sql from 'sql-template-tag';
import { expect, test } from 'vitest';
import { createIssuer } from '../../src/auth/issuers.ts';
import { createRule } from '../../src/auth/trust-rules.ts';
import { basic, createAuth, HUB, newProject, ORIGIN, testAuth } from '../auth/harness.ts';
import { AUDIENCE, signingKey, testIssuer } from './issuer.ts';

const MINUTE = 60_000;
let turned = 0;
const now = () => Date.now() + turned;
const one = await testAuth({ now });
const two = createAuth(one.another(), { now });
const { db } = one;
const issuer = await testIssuer();
const { id: projectId, name: project } = await newProject(db);
await createIssuer(
  { db, keys: one.issuerKeys, origins: [ORIGIN] },
  { name: 'builds', url: issuer.url, kind: 'github', http: true, privateAddresses: true },
  HUB,
);
await createRule(
  db,
  { projectId, project },
  { name: 'deploy', issuer: 'builds', audience: AUDIENCE, claims: { repository: 'octo/app' } },
  HUB,
);

const may = (hub: typeof two, token: string, username = 'ci'): Promise<string> =>
  hub.authenticator.authenticate(basic(username, token)).then(
    ({ name }) => name,
    ({ name }: Error) => name,
  );

test('a token works past its end as long as its session, on every replica; another one does not', async () => {
  turned = 0;
  const token = await issuer.token();
  const unused = await issuer.token();
  expect(await may(one, token)).toBe(`${project}/deploy`);
  turned = 40 * MINUTE;
  // This replica has never seen it.
  expect(await may(two, token)).toBe(`${project}/deploy`);
  expect(await may(two, token, 'deploy')).toBe(`${project}/deploy`);
  expect(await may(two, token, `${project}/deploy`)).toBe(`${project}/deploy`);
  expect(await may(two, token, `${project}/else`)).toBe('InvalidCredentials');
  expect(await may(one, token)).toBe(`${project}/deploy`);
  expect(await may(one, unused)).toBe('InvalidCredentials');
  const [head, body, signature] = token.split('.') as [string, string, string];
  const bent = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  expect(await may(two, `${head}.${body}.${bent}`)).toBe('InvalidCredentials');
  // An hour of the database's, when the session is over.
  await db.query(sql`update principals set expires_at = now(), epoch = epoch + 1 where kind = 'ci_session'`);
  one.authenticator.forget(basic('ci', token));
  expect(await may(one, token)).toBe('InvalidCredentials');
  expect(await may(two, token, 'new')).toBe('InvalidCredentials');
});

test('a token that is over opens nothing, however good the session is that it has under another rule', async () => {
  turned = 0;
  const claims = { run_purpose: 'relay', repository: 'octo/app' };
  for (const name of ['relay-a', 'relay-b']) {
    await createRule(db, { projectId, project }, { name, issuer: 'builds', audience: AUDIENCE, claims }, HUB);
  }
  const token = await issuer.token({ run_purpose: 'relay' });
  const [a, b] = [`${project}/relay-a`, `${project}/relay-b`];
  expect(await may(one, token, a)).toBe(a);
  turned = 59 * MINUTE;
  expect(await may(two, token, b)).toBe('InvalidCredentials');
  expect(await may(two, token, a)).toBe(a);
  // Both while it is good: a session that has ended is not renewed by the other one.
  turned = 0;
  expect(await may(one, token, b)).toBe(b);
  await db.query(sql`
    update principals set expires_at = now(), epoch = epoch + 1
    where kind = 'ci_session' and parent_id = (select id from principals where name = ${a})`);
  turned = 59 * MINUTE;
  const replica = createAuth(one.another(), { now });
  expect(await may(replica, token, a)).toBe('InvalidCredentials');
  expect(await may(replica, token, b)).toBe(b);
});

test('a token that is still good opens its session again when that has ended, but not when it was revoked', async () => {
  turned = 0;
  const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3 * 3600 });
  expect(await may(one, token)).toBe(`${project}/deploy`);
  await db.query(sql`update principals set expires_at = now(), epoch = epoch + 1 where kind = 'ci_session'`);
  expect(await may(two, token)).toBe(`${project}/deploy`);
  await db.query(sql`update principals set disabled_at = now(), expires_at = now() where kind = 'ci_session'`);
  expect(await may(two, token, 'else')).toBe('InvalidCredentials');
});

test('a token from the future, or of yesterday, is none', async () => {
  const at = Math.floor(Date.now() / 1000);
  turned = 0;
  expect(await may(one, await issuer.token({ iat: at + 50, nbf: at + 50 }))).toBe(`${project}/deploy`);
  expect(await may(one, await issuer.token({ iat: at + 120, nbf: at }))).toBe('InvalidCredentials');
  expect(await may(one, await issuer.token({ nbf: at + 120 }))).toBe('InvalidCredentials');
  expect(await may(one, await issuer.token({ iat: at - 86_400 - 120 }))).toBe('InvalidCredentials');
});

/** As if the keys had been fetched so long ago. */
async function age(seconds: number): Promise<void> {
  await db.query(sql`update issuers set keys_at = now() - make_interval(secs => ${seconds})`);
}

test('a new key is fetched when a token names it, and whoever makes up names makes the hub ask once', async () => {
  turned = 0;
  const next = await signingKey('RS256');
  issuer.keys = [issuer.key.jwk, next.jwk];
  await age(31);
  issuer.asked.length = 0;
  expect(await may(one, await issuer.token({}, { key: next }))).toBe(`${project}/deploy`);
  expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  const made = await Promise.all(Array.from({ length: 40 }, (_, i) => issuer.token({}, { header: { kid: `x${i}` } })));
  const answers = await Promise.all(made.map((token, i) => may(i % 2 ? one : two, token)));
  expect(new Set(answers)).toEqual(new Set(['InvalidCredentials']));
  expect(issuer.asked).toHaveLength(2);
});

test('keys that are an hour old are fetched anew: one that was withdrawn is good no more', async () => {
  turned = 0;
  const gone = issuer.key;
  const next = await signingKey('ES384');
  issuer.keys = [next.jwk];
  await age(61 * 60);
  expect(await may(two, await issuer.token({}, { key: gone }))).toBe('InvalidCredentials');
  expect(await may(two, await issuer.token({}, { key: next }))).toBe(`${project}/deploy`);
  issuer.keys = [gone.jwk];
  await age(61 * 60);
  expect(await may(one, await issuer.token({}, { key: gone }))).toBe(`${project}/deploy`);
});

test('while the issuer is away the keys of the last day are used, and older ones are not', async () => {
  turned = 0;
  issuer.away = true;
  await age(23 * 3600);
  // Replicas that have not asked in vain yet.
  const three = createAuth(one.another(), { now });
  expect(await may(three, await issuer.token())).toBe(`${project}/deploy`);
  await age(25 * 3600);
  expect(await may(three, await issuer.token())).toBe('ProviderUnavailable');
  issuer.away = false;
  const four = createAuth(one.another(), { now });
  expect(await may(four, await issuer.token())).toBe(`${project}/deploy`);
});
