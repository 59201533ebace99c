/** Guessing and oversized requests, against whole hubs: nothing here may stop the owner of an account. */
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, send } from '../harness/oci-client.ts';

const direct = await testHub();
const proxied = await testHub({ config: { trustedProxies: ['127.0.0.1'] } });

type Hub = typeof direct;
type Headers = (i: number) => Record<string, string>;

/** Guesses for the account, ten at a time; answers how many of them were checked. */
async function guess(origin: string, username: string, times: number, headers: Headers): Promise<number> {
  let checked = 0;
  for (let i = 0; i < times; i += 10) {
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async (_, k) => {
        const authorization = basic({ username, password: `guess ${i + k}` });
        const answer = await send(origin, {
          path: i % 20 === 0 ? '/auth/token' : '/api/v1/me',
          headers: { Authorization: authorization, ...headers(i + k) },
        });
        if (answer.status === 429) expect(Number(answer.header('Retry-After'))).toBeGreaterThan(0);
        return answer.status;
      }),
    );
    expect(statuses.every((status) => status === 401 || status === 429)).toBe(true);
    checked += statuses.filter((status) => status === 401).length;
  }
  return checked;
}

const me = async (hub: Hub, credentials: { username: string; password: string }, headers: Record<string, string>) =>
  (await send(hub.origin, { path: '/api/v1/me', headers: { Authorization: basic(credentials), ...headers } })).status;

const spoofed = (i: number): Record<string, string> => ({
  'X-Forwarded-For': `198.51.${i >> 8}.${i & 255}`,
  Forwarded: `for=198.51.${i >> 8}.${i & 255}`,
  'X-Real-IP': `198.51.100.${i & 255}`,
  'X-WEBAUTH-USER': 'admin',
});

describe('a thousand guesses', () => {
  test('from made-up addresses are those of one client', async () => {
    const { credentials } = await direct.person();
    // Five are free; while they are made a second may pass now and then, which is good for another one.
    expect(await guess(direct.origin, credentials.username, 1_000, spoofed)).toBeLessThanOrEqual(12);
  });

  test('through a proxy count for the address that the proxy saw, whatever is written left of it', async () => {
    const { credentials } = await proxied.person();
    const behind: Headers = (i) => ({ 'X-Forwarded-For': `198.51.${i >> 8}.${i & 255}, 203.0.113.5` });
    expect(await guess(proxied.origin, credentials.username, 1_000, behind)).toBeLessThanOrEqual(12);
    expect(await me(proxied, credentials, { 'X-Forwarded-For': '203.0.113.5' })).toBe(429);
    // The owner, elsewhere.
    expect(await me(proxied, credentials, { 'X-Forwarded-For': '203.0.113.6' })).toBe(200);
  });

  test('from all over one IPv6 network are those of one client', async () => {
    const { credentials } = await proxied.person();
    const behind: Headers = (i) => ({ 'X-Forwarded-For': `2001:db8:1:2:${i.toString(16)}::1` });
    expect(await guess(proxied.origin, credentials.username, 100, behind)).toBeLessThanOrEqual(7);
    expect(await me(proxied, credentials, { 'X-Forwarded-For': '2001:db8:1:3::1' })).toBe(200);
  });

  test('are counted by all replicas together', async () => {
    const { credentials } = await direct.person();
    const { origin } = await direct.replica();
    expect(await guess(direct.origin, credentials.username, 10, () => ({}))).toBe(5);
    const elsewhere = await send(origin, { path: '/api/v1/me', headers: { Authorization: basic(credentials) } });
    expect(elsewhere.status).toBe(429);
  });

  test('leave no name that was typed in Postgres', async () => {
    const secret = 'typed-in-the-wrong-field';
    await send(direct.origin, {
      path: '/api/v1/me',
      headers: { Authorization: basic({ username: secret, password: 'x' }) },
    });
    const rows = JSON.stringify(await direct.db.query(sql`select encode(key, 'escape') as key from sign_in_failures`));
    expect(rows.length).toBeGreaterThan(10);
    expect(rows).not.toContain(secret);
  });
});

test('cookies count on /api/v1 and /auth/token alone', async () => {
  const { credentials } = await direct.person();
  const signedIn = await send(direct.origin, {
    method: 'POST',
    path: '/api/v1/session',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: credentials.username, password: credentials.password }),
  });
  expect(signedIn.status).toBe(201);
  const [cookie] = signedIn.all('Set-Cookie');
  // Plain http on one machine: no prefix and not Secure, or browsers would drop it.
  expect(cookie).toMatch(/^berth_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/);
  const headers = { Cookie: cookie!.split(';')[0]! };
  expect((await send(direct.origin, { path: '/api/v1/me', headers })).status).toBe(200);
  expect((await send(direct.origin, { path: '/v2/', headers })).status).toBe(401);
  expect((await send(direct.origin, { path: '/v2/_catalog', headers })).status).toBe(401);
  const exchanged = await send(direct.origin, { path: '/auth/token?scope=registry:catalog:*', headers });
  const token = exchanged.json<{ token: string }>().token;
  const listed = await send(direct.origin, { path: '/v2/_catalog', headers: { Authorization: `Bearer ${token}` } });
  expect(listed.status).toBe(200);
  for (const more of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example' }]) {
    expect((await send(direct.origin, { path: '/auth/token', headers: { ...headers, ...more } })).status).toBe(403);
  }
  const over = { Cookie: `berth_session=${'A'.repeat(43)}` };
  const ended = await send(direct.origin, { path: '/auth/token', headers: { ...over, 'Sec-Fetch-Mode': 'cors' } });
  expect(ended.header('WWW-Authenticate')).toBeUndefined();
  expect(ended.status).toBe(401);
});

describe('limits of a request', () => {
  const url = (length: number) => `/version?${'x'.repeat(length - '/version?'.length)}`;

  test('a URL has at most 8 KiB', async () => {
    for (const length of [8_191, 8_192]) expect((await send(direct.origin, { path: url(length) })).status).toBe(200);
    const answer = await send(direct.origin, { path: url(8_193) });
    expect(answer.status).toBe(414);
    expect(answer.body.toString()).toContain('8192');
  });

  test('headers have at most 16 KiB', async () => {
    const status = async (length: number) =>
      (await send(direct.origin, { path: '/version', headers: { 'X-Padding': 'x'.repeat(length) } })).status;
    expect(await status(15 * 1024)).toBe(200);
    expect(await status(16 * 1024)).toBe(431);
  });

  test('JSON nests at most 32 levels, and says nothing twice', async () => {
    const post = async (body: string) =>
      send(direct.origin, {
        method: 'POST',
        path: '/api/v1/teams',
        headers: { Authorization: basic(direct.adminCredentials), 'Content-Type': 'application/json' },
        body,
      });
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    const type = (answer: Awaited<ReturnType<typeof post>>) => answer.json<{ type: string }>().type;
    expect(type(await post(nested(32)))).toBe('urn:berth:problem:validation-failed');
    expect(type(await post(nested(33)))).toBe('urn:berth:problem:malformed-json');
    expect(type(await post(nested(100_000)))).toBe('urn:berth:problem:malformed-json');
    expect(type(await post('{"name":"one","name":"two"}'))).toBe('urn:berth:problem:malformed-json');
  });

  test('a token is for at most 100 repositories', async () => {
    const ask = async (count: number) => {
      const scopes = Array.from({ length: count }, (_, i) => `scope=repository:r/${i}:pull`).join('&');
      return (await send(direct.origin, { path: `/auth/token?${scopes}` })).status;
    };
    expect([await ask(100), await ask(101)]).toEqual([200, 400]);
  });

  test('a form has at most 64 KiB', async () => {
    const post = async (length: number) => {
      const start = 'grant_type=password&username=x&password=';
      const body = start + 'y'.repeat(length - start.length);
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return (await send(direct.origin, { method: 'POST', path: '/auth/token', headers, body })).status;
    };
    expect([await post(65_536), await post(65_537)]).toEqual([401, 413]);
  });
});

test('a sign-in that fails is in the audit trail, with the name if there is such an account; so is one that comes to its end', async () => {
  const { credentials } = await direct.person();
  const post = (name: string, password: string, headers: Record<string, string> = {}) =>
    send(direct.origin, {
      method: 'POST',
      path: '/api/v1/session',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'a browser', ...headers },
      body: JSON.stringify({ name, password }),
    });
  expect((await post(credentials.username, 'wrong password')).status).toBe(401);
  expect((await post('a-password-in-the-wrong-field', 'x')).status).toBe(401);
  expect((await post(credentials.username, credentials.password)).status).toBe(201);
  await direct.context.denials.flush();
  const denied = (await direct.api('GET', '/audit?decision=deny&limit=1000')).body.toString();
  expect(denied).toContain('the credentials are not valid');
  expect(denied).toContain(credentials.username);
  expect(denied).not.toContain('a-password-in-the-wrong-field');
  const sessions = async () => (await direct.api('GET', '/audit?action=session.*&limit=1000')).body.toString();
  await expect.poll(sessions, { timeout: 10_000, interval: 20 }).toContain('session.started');
  expect(await sessions()).not.toContain(credentials.password);
});
