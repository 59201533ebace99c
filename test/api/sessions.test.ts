import sql from 'sql-template-tag';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { changeUser } from '../../src/auth/accounts.ts';
import { InvalidCredentials } from '../../src/auth/errors.ts';
import { pruneSessions, startSession } from '../../src/auth/sessions.ts';
import { apiRoutes } from '../../src/api/routes.ts';
import { basic, createAuth, HUB, newUser, ORIGIN, PASSWORD, SESSIONS } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const api = await testApi();
const { db, callback, call, token, admin, jane, joe, authenticator, reported } = api;
const COOKIE = '__Host-berth_session';
type User = Awaited<ReturnType<typeof newUser>>;

interface Browser {
  readonly cookie: string;
  readonly csrf: string;
}

function signIn(name: string, password = PASSWORD, headers: Record<string, string> = {}) {
  return request(callback).post('/api/v1/session').set(headers).send({ name, password });
}

async function browser(user: User, headers: Record<string, string> = {}): Promise<Browser> {
  const answer = await signIn(user.name, PASSWORD, headers).expect(201);
  return { cookie: cookieOf(answer), csrf: answer.body.csrf_token };
}

function cookieOf(answer: request.Response): string {
  const [cookie] = answer.headers['set-cookie'] as unknown as string[];
  return cookie!.split(';')[0]!;
}

/** As the hub's own page would send it. */
function send(method: string, path: string, { cookie, csrf }: Browser, body?: unknown) {
  const sent = request(callback)[method.toLowerCase() as 'get'](`/api/v1${path}`);
  sent.set({ Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' });
  if (method !== 'GET') sent.set({ Origin: ORIGIN, 'X-Berth-CSRF': csrf });
  return body === undefined ? sent : sent.send(body as object);
}

const age = (secret: string, seconds: number) =>
  db.query(sql`
    update sessions set last_seen_at = now() - make_interval(secs => ${seconds})
    where secret_hash = sha256(${Buffer.from(secret.split('=')[1]!)})`);

describe('signing in', () => {
  test('sets a cookie that scripts and other sites do not get, and says what to send along', async () => {
    const answer = await signIn(jane.name.toUpperCase()).expect(201);
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-berth_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/,
      ),
    ]);
    expect(answer.body).toEqual({
      name: jane.name,
      admin: false,
      csrf_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      expires_at: expect.any(String),
      idle_seconds: 3_600,
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    const own = { cookie: cookieOf(answer), csrf: answer.body.csrf_token };
    const state = await send('GET', '/session', own).expect(200);
    expect(state.body).toEqual({ signed_in: true, ...answer.body });
    expect((await send('GET', '/me', own).expect(200)).body).toMatchObject({ name: jane.name, credential: 'session' });
    expect((await call('GET', '/session').expect(200)).body).toEqual({ signed_in: false });
    expect((await call('GET', '/session', jane).expect(200)).body).toEqual({ signed_in: false });
  });

  test('is refused alike for unknown, disabled and wrong, and never with a token', async () => {
    const disabled = await newUser(db);
    await changeUser(db, disabled.name, { disabled: true }, HUB);
    const pat = (await token(jane, { actions: ['pull', 'push', 'delete', 'admin'] })).slice('Bearer '.length);
    const answers = new Set<string>();
    for (const [name, password] of [
      [jane.name, 'wrong password'],
      ['nobody', PASSWORD],
      [disabled.name, PASSWORD],
      [jane.name, pat],
      ['', pat],
    ] as const) {
      const answer = await request(callback)
        .post('/api/v1/session')
        .send({ name: name || 'x', password });
      answers.add(JSON.stringify([answer.status, answer.body, answer.headers['set-cookie'] ?? null]));
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain('401');
  });

  test.each([
    {},
    { name: 'x' },
    { name: 'x', password: 'y', admin: true },
    { name: ['x'], password: 'y' },
    { name: 'x', password: 1 },
  ])('takes no %j', async (body) => {
    await request(callback).post('/api/v1/session').send(body).expect(400);
  });

  test('gives a new secret each time, and ends the session that the browser had', async () => {
    const first = await browser(jane);
    const second = await browser(jane, { Cookie: first.cookie, Origin: ORIGIN });
    expect(second.cookie).not.toBe(first.cookie);
    expect(second.csrf).not.toBe(first.csrf);
    await send('GET', '/me', first).expect(401);
    await send('GET', '/me', second).expect(200);
  });

  test('never takes over a secret that the browser brought', async () => {
    const planted = `${COOKIE}=${'A'.repeat(43)}`;
    const own = await browser(joe, { Cookie: planted });
    expect(own.cookie).not.toBe(planted);
    await send('GET', '/me', { ...own, cookie: planted }).expect(401);
  });

  test('comes to nothing when something was taken from the person, or the account closed, since the password was checked', async () => {
    const user = await newUser(db);
    const start = (epoch: number) =>
      startSession(db, { principal: { id: user.id, name: user.name, epoch }, address: '', userAgent: '' }, SESSIONS, {
        old: undefined,
        requestId: 'request-id',
      });
    await db.query(sql`update principals set epoch = 7 where id = ${user.id}`);
    await expect(start(6)).rejects.toBeInstanceOf(InvalidCredentials);
    await db.query(sql`update principals set disabled_at = now() where id = ${user.id}`);
    await expect(start(7)).rejects.toBeInstanceOf(InvalidCredentials);
    await db.query(sql`update principals set disabled_at = null where id = ${user.id}`);
    await start(7);
    expect(await db.query(sql`select 1 from sessions where principal_id = ${user.id}`)).toHaveLength(1);
  });

  test('stores the secret nowhere', async () => {
    const { cookie, csrf } = await browser(jane);
    const secret = cookie.split('=')[1]!;
    const rows = JSON.stringify(
      await db.query(sql`select s::text as row from sessions s union all select e::text from events e`),
    );
    expect(rows).toContain('session.started');
    expect(rows).not.toContain(secret);
    expect(rows).not.toContain(csrf);
    expect(rows).not.toContain(PASSWORD);
  });

  test('is not what other sites can make a browser do', async () => {
    const counted = async () => (await db.query(sql`select 1 from sessions`)).length;
    const before = await counted();
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ]) {
      await signIn(jane.name, PASSWORD, headers).expect(403);
    }
    await request(callback)
      .post('/api/v1/session')
      .set('Content-Type', 'text/plain')
      .send(JSON.stringify({ name: jane.name, password: PASSWORD }))
      .expect(415);
    expect(await counted()).toBe(before);
  });
});

describe('a session', () => {
  test('ends with signing out, on every replica, and the browser is told to forget it', async () => {
    const own = await browser(jane);
    const other = await browser(jane);
    await send('GET', '/me', own).expect(200);
    const answer = await send('DELETE', '/session', own).expect(204);
    expect(answer.headers['set-cookie']).toEqual([`${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`]);
    const after = await send('GET', '/me', own).expect(401);
    expect(after.headers['set-cookie']).toEqual([expect.stringContaining('Max-Age=0')]);
    expect(after.headers['www-authenticate']).toBeUndefined();
    await send('GET', '/me', other).expect(200);
    await call('DELETE', '/session', jane).expect(404);
  });

  test('ends when nothing was sent for an hour, and after half a day in any case', async () => {
    const own = await browser(jane);
    await age(own.cookie, SESSIONS.idle - 5);
    await send('GET', '/me', own).expect(200);
    await authenticator.settled();
    const row = await db.first<{ idle: number }>(sql`
      select extract(epoch from now() - last_seen_at)::float8 as idle from sessions
      where secret_hash = sha256(${Buffer.from(own.cookie.split('=')[1]!)})`);
    expect(row!.idle, 'it was noted').toBeLessThan(60);

    const idle = await browser(jane);
    await age(idle.cookie, SESSIONS.idle + 5);
    await send('GET', '/me', idle).expect(401);

    const old = await browser(jane);
    await db.query(sql`
      update sessions set expires_at = now() where secret_hash = sha256(${Buffer.from(old.cookie.split('=')[1]!)})`);
    await send('GET', '/me', old).expect(401);
    await pruneSessions(db, SESSIONS);
    const left = await db.query(sql`
      select 1 from sessions where expires_at <= now() or last_seen_at < now() - interval '1 hour'`);
    expect(left).toEqual([]);
    await send('GET', '/me', own).expect(200);
  });

  test('is not remembered beyond its end', async () => {
    let clock = Date.now();
    const replica = createAuth(db, { now: () => clock });
    const own = await browser(jane);
    const credentials = { scheme: 'session', secret: own.cookie.split('=')[1]! } as const;
    await age(own.cookie, SESSIONS.idle - 60);
    await replica.authenticator.authenticate(credentials);
    await replica.authenticator.settled();
    await age(own.cookie, SESSIONS.idle + 1);
    clock += 61_000;
    await expect(replica.authenticator.authenticate(credentials)).rejects.toThrow('not valid');
  });

  test.each([
    ['a new password', { password: 'another password' }],
    ['being disabled', { disabled: true }],
    ['becoming an administrator', { admin: true }],
  ])('ends with %s', async (_, change) => {
    const user = await newUser(db);
    const own = await browser(user);
    await send('GET', '/me', own).expect(200);
    await changeUser(db, user.name, change, HUB);
    await send('GET', '/me', own).expect(401);
    await changeUser(db, user.name, { disabled: false, password: PASSWORD }, HUB);
    await send('GET', '/me', own).expect(401);
  });

  test('of someone who changes the password ends, too', async () => {
    const user = await newUser(db);
    const [own, other] = [await browser(user), await browser(user)];
    const body = { current_password: PASSWORD, new_password: 'a new password' };
    await send('PUT', '/me/password', own, body).expect(204);
    for (const each of [own, other]) await send('GET', '/me', each).expect(401);
    await signIn(user.name, 'a new password').expect(201);
  });

  test('does what the password does: no more, no less', async () => {
    const [own, chief] = [await browser(jane), await browser(admin)];
    const made = await send('POST', '/me/tokens', own, { name: 'from the browser' }).expect(201);
    await send('DELETE', `/me/tokens/${made.body.id}`, own).expect(204);
    await send('GET', '/users', own).expect(403);
    await send('GET', '/users', chief).expect(200);
  });

  test('counts for nothing beside an Authorization header', async () => {
    const chief = await browser(admin);
    const answer = await send('GET', '/me', chief).set('Authorization', basic(jane.name, PASSWORD)).expect(200);
    expect(answer.body.name).toBe(jane.name);
    await send('GET', '/me', chief).set('Authorization', basic(jane.name, 'wrong password')).expect(401);
  });

  test('is no header: neither Basic nor Bearer', async () => {
    const secret = (await browser(jane)).cookie.split('=')[1]!;
    for (const header of [`Bearer ${secret}`, basic(jane.name, secret), `Session ${secret}`]) {
      await call('GET', '/me', header).expect(401);
    }
  });

  test('in two cookies of one name is none', async () => {
    const [own, other] = [await browser(jane), await browser(joe)];
    await send('GET', '/me', { ...own, cookie: `${own.cookie}; ${other.cookie}` }).expect(401);
    await send('GET', '/me', { ...own, cookie: own.cookie.replace('__Host-', '') }).expect(401);
  });
});

describe('what another site makes the browser send', () => {
  const attacks: Record<string, (sent: request.Test, own: Browser) => request.Test> = {
    'without a CSRF token': (sent) => sent.unset('X-Berth-CSRF'),
    'with a wrong one': (sent) => sent.set('X-Berth-CSRF', 'A'.repeat(43)),
    'with an empty one': (sent) => sent.set('X-Berth-CSRF', ''),
    'from a cross-site page': (sent) => sent.set('Sec-Fetch-Site', 'cross-site'),
    'from a sibling host': (sent) => sent.set('Sec-Fetch-Site', 'same-site'),
    'with Origin null': (sent) => sent.set('Origin', 'null'),
    'with another Origin': (sent) => sent.set('Origin', 'https://hub.example.com.evil.example'),
    'as a form would': (sent) => sent.unset('X-Berth-CSRF').set('Content-Type', 'text/plain'),
  };
  const changes = apiRoutes({ ...api, publicUrls: [ORIGIN], sessions: SESSIONS }).filter(
    ({ method, policy }) => method !== 'GET' && policy.kind !== 'sign-in',
  );

  test.each(Object.entries(attacks))('%s changes nothing, on any route', async (_, attack) => {
    const chief = await browser(admin);
    const dump = async () =>
      JSON.stringify(
        await db.query(sql`
          select p.id, p.epoch, p.disabled_at from principals p
          union all select id, count(*) over (), revoked_at from tokens
          union all select id, epoch, null from projects order by 1, 2`),
      );
    const before = await dump();
    expect(changes.length).toBeGreaterThan(15);
    for (const { id, method, path } of changes) {
      const target = path.replaceAll(':user', joe.name).replaceAll(/:\w+/g, '1');
      const sent = attack(send(method, target, chief).set('Content-Type', 'application/json'), chief);
      const answer = await sent.send('{}');
      expect(answer.status, id).toBe(403);
      expect(answer.body.type, id).toBe('urn:berth:problem:cross-site');
    }
    expect(await dump()).toBe(before);
    await send('GET', '/me', chief).expect(200);
  });

  test("is not made good by another session's token, nor by a method in a header", async () => {
    const [chief, mine] = [await browser(admin), await browser(jane)];
    await send('POST', '/teams', { ...chief, csrf: mine.csrf }, { name: 'forged' }).expect(403);
    const answer = await send('GET', '/teams', chief).set('X-HTTP-Method-Override', 'POST');
    expect(answer.status).toBe(200);
    expect(await db.query(sql`select 1 from principals where name = 'forged'`)).toEqual([]);
  });

  test('is not read with its session either', async () => {
    const chief = await browser(admin);
    await send('GET', '/users', chief).set('Sec-Fetch-Site', 'cross-site').expect(403);
  });
});

describe('lists of sessions', () => {
  test('show where and since when, and which one asks', async () => {
    const user = await newUser(db);
    const first = await browser(user, { 'User-Agent': 'Old\tBrowser' });
    const second = await browser(user, { 'User-Agent': 'New Browser' });
    const list = await send('GET', '/me/sessions', second).expect(200);
    expect(list.body.items).toEqual([
      {
        id: expect.any(String),
        address: '127.0.0.1',
        user_agent: 'New Browser',
        current: true,
        created_at: expect.any(String),
        last_seen_at: expect.any(String),
        expires_at: expect.any(String),
      },
      expect.objectContaining({ user_agent: 'Old Browser', current: false }),
    ]);
    await send('DELETE', `/me/sessions/${list.body.items[1].id}`, second).expect(204);
    await send('GET', '/me', first).expect(401);
    await send('GET', '/me', second).expect(200);
  });

  test('are one’s own; another’s session looks like none', async () => {
    const [mine, his] = [await browser(jane), await browser(joe)];
    const [row] = (await send('GET', '/me/sessions', his).expect(200)).body.items;
    const foreign = await send('DELETE', `/me/sessions/${row.id}`, mine).expect(404);
    const missing = await send('DELETE', '/me/sessions/999999', mine).expect(404);
    expect(foreign.body).toEqual(missing.body);
    await send('GET', '/me', his).expect(200);
    await call('GET', `/users/${joe.name}/sessions`, jane).expect(403);
    await call('DELETE', `/users/${joe.name}/sessions`, jane).expect(403);
    await call('DELETE', '/me/sessions', await token(joe, { actions: ['admin'] })).expect(403);
  });

  test('end all at once, by their owner or an administrator', async () => {
    const user = await newUser(db);
    const [a, b] = [await browser(user), await browser(user)];
    expect((await call('GET', `/users/${user.name}/sessions`, admin).expect(200)).body.items).toHaveLength(2);
    await call('DELETE', `/users/${user.name}/sessions`, admin).expect(204);
    for (const each of [a, b]) await send('GET', '/me', each).expect(401);
    const [c, d] = [await browser(user), await browser(user)];
    await send('DELETE', '/me/sessions', c).expect(204);
    for (const each of [c, d]) await send('GET', '/me', each).expect(401);
  });

  test('are bounded: the hundred newest', async () => {
    const user = await newUser(db);
    const oldest = await browser(user);
    await db.query(sql`
      insert into sessions (principal_id, secret_hash, expires_at)
      select ${user.id}, sha256(i::text::bytea), now() + interval '1 hour' from generate_series(1, 99) i`);
    await send('GET', '/me', oldest).expect(200);
    await browser(user);
    await db.query(sql`update principals set epoch = epoch + 1 where id = ${user.id}`);
    await send('GET', '/me', oldest).expect(401);
    expect(await db.query(sql`select 1 from sessions where principal_id = ${user.id}`)).toHaveLength(100);
  });
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
