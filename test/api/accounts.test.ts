import sql from 'sql-template-tag';
import request, { type Response } from 'supertest';
import { describe, expect, test } from 'vitest';
import { newUser, basic, PASSWORD } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const { db, callback, call, token, admin, jane, joe, tokens, authenticator, reported } = await testApi();
let count = 0;
const fresh = () => `person-${++count}`;

describe('/me', () => {
  test('says who is asking and with what', async () => {
    expect((await call('GET', '/me', jane).expect(200)).body).toEqual({
      name: jane.name,
      kind: 'user',
      admin: false,
      credential: 'password',
    });
    const header = await token(jane, { actions: ['pull'], paths: ['acme/**'] });
    expect((await call('GET', '/me', header).expect(200)).body).toEqual({
      name: jane.name,
      kind: 'user',
      admin: false,
      credential: 'token',
      actions: ['pull'],
      paths: ['acme/**'],
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    await call('HEAD', '/me', jane).expect(200);
  });

  test('is for people who are signed in; the answer says how', async () => {
    const answer = await call('GET', '/me').expect(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Berth", charset="UTF-8"');
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.body).toEqual({
      type: 'urn:berth:problem:unauthenticated',
      title: 'Sign in first',
      status: 401,
      detail: 'Send Basic credentials or a personal token.',
      request_id: 'request-id-of-test',
    });
    await call('GET', '/me', basic(jane.name, 'wrong')).expect(401);
  });

  test('takes no registry tokens', async () => {
    const principal = await authenticator.authenticate(basic(admin.name, PASSWORD));
    const { token: jwt } = await tokens.issue(principal, [], 'https://hub.example.com');
    for (const path of ['/me', '/users', '/projects']) await call('GET', path, `Bearer ${jwt}`).expect(401);
  });
});

describe('the own password', () => {
  test('is changed by someone who knows it; everything else signed in ends at once', async () => {
    const user = await newUser(db);
    const other = await token(user, { actions: ['pull'] });
    await call('PUT', '/me/password', user, { current_password: 'wrong', new_password: 'a new password' }).expect(403);
    await call('PUT', '/me/password', user, { current_password: PASSWORD, new_password: 'short' }).expect(400);
    await call('PUT', '/me/password', user, { current_password: PASSWORD, new_password: 'a new password' }).expect(204);
    await call('GET', '/me', user).expect(401);
    await call('GET', '/me', basic(user.name, 'a new password')).expect(200);
    await call('GET', '/me', other).expect(200);
  });

  test('is not guessed in a browser that someone left open', async () => {
    const user = await newUser(db);
    const started = await request(callback).post('/api/v1/session').send({ name: user.name, password: PASSWORD });
    const headers = {
      Cookie: (started.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!,
      'X-Berth-CSRF': started.body.csrf_token as string,
    };
    const attempt = (current_password: string) =>
      request(callback).put('/api/v1/me/password').set(headers).send({ current_password, new_password: 'mine now' });
    for (let i = 0; i < 5; i++) await attempt(`guess ${i}`).expect(403);
    const refused = await attempt('guess 5').expect(429);
    expect(refused.headers['retry-after']).toBe('1');
  });

  test('is shown by the password alone, not by a token, nor by what the password was', async () => {
    const user = await newUser(db);
    const pat = (await token(user, { actions: ['admin'] })).slice('Bearer '.length);
    const change = (as: string, current_password: string, new_password: string) =>
      call('PUT', '/me/password', basic(user.name, as), { current_password, new_password });
    await change(PASSWORD, pat, 'another password').expect(403);
    await change(PASSWORD, PASSWORD, 'another password').expect(204);
    await change('another password', PASSWORD, 'a third password').expect(403);
    await call('GET', '/me', basic(user.name, 'another password')).expect(200);
  });

  test('that is kept elsewhere is not changed here', async () => {
    const user = await newUser(db);
    const started = await request(callback).post('/api/v1/session').send({ name: user.name, password: PASSWORD });
    await db.query(sql`update users set password_hash = null where principal_id = ${user.id}`);
    await request(callback)
      .put('/api/v1/me/password')
      .set('Cookie', (started.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!)
      .set('X-Berth-CSRF', started.body.csrf_token as string)
      .send({ current_password: PASSWORD, new_password: 'mine now' })
      .expect(403);
    expect(
      await db.query(sql`select 1 from users where principal_id = ${user.id} and password_hash is not null`),
    ).toEqual([]);
  });

  test('is not changed with a token', async () => {
    const header = await token(jane, { actions: ['pull', 'push', 'delete', 'admin'] });
    const { body } = await call('PUT', '/me/password', header, {
      current_password: PASSWORD,
      new_password: PASSWORD,
    }).expect(403);
    expect(body.type).toBe('urn:berth:problem:password-required');
    await call('POST', '/me/tokens', header, { name: 'wider' }).expect(403);
  });
});

describe('personal tokens', () => {
  test('are made, shown once, listed, used, and revoked', async () => {
    const user = await newUser(db);
    const made = await call('POST', '/me/tokens', user, { name: 'laptop' }).expect(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^\d+$/),
      name: 'laptop',
      actions: ['pull', 'push'],
      expires_at: expect.any(String),
      created_at: expect.any(String),
      token: expect.stringMatching(/^berth_pat_/),
    });
    const days = (Date.parse(made.body.expires_at) - Date.parse(made.body.created_at)) / 86_400_000;
    expect(days).toBeCloseTo(90, 1);
    const header = `Bearer ${made.body.token}`;
    await call('GET', '/me', header).expect(200);
    await authenticator.settled();
    const { token: _, ...listed } = made.body;
    const list = await call('GET', '/me/tokens', user).expect(200);
    expect(list.body).toEqual({ items: [{ ...listed, last_used_at: expect.any(String) }] });
    await call('DELETE', `/me/tokens/${made.body.id}`, user).expect(204);
    await call('GET', '/me', header).expect(401);
    await call('DELETE', `/me/tokens/${made.body.id}`, user).expect(404);
    expect((await call('GET', '/me/tokens', user)).body.items).toEqual([]);
  });

  test('of others look like ones that do not exist', async () => {
    const made = await call('POST', '/me/tokens', joe, { name: 'his' }).expect(201);
    const foreign = await call('DELETE', `/me/tokens/${made.body.id}`, jane).expect(404);
    const missing = await call('DELETE', '/me/tokens/999999', jane).expect(404);
    expect(foreign.body).toEqual(missing.body);
    await call('GET', '/me', `Bearer ${made.body.token}`).expect(200);
  });

  test.each(['x', '0', '-1', '1.5', '99999999999999999999', '1%00', '%2e%2e'])('id %s is 404', async (id) => {
    await call('DELETE', `/me/tokens/${id}`, jane).expect(404);
  });

  test.each([
    [{}, '/name'],
    [{ name: '' }, '/name'],
    [{ name: 'a\0b' }, '/name'],
    [{ name: 'x', actions: [] }, '/actions'],
    [{ name: 'x', actions: ['root'] }, '/actions/0'],
    [{ name: 'x', expires_in_days: 366 }, '/expires_in_days'],
    [{ name: 'x', expires_in_days: 0 }, '/expires_in_days'],
    [{ name: 'x', expires_in_days: null }, '/expires_in_days'],
    [{ name: 'x', paths: [] }, '/paths'],
    [{ name: 'x', principal_id: 1 }, '/'],
  ])('%j is refused, and the answer says where', async (body, at) => {
    const answer = await call('POST', '/me/tokens', jane, body).expect(400);
    expect(answer.body.type).toBe('urn:berth:problem:validation-failed');
    expect(answer.body.errors[0]).toEqual({ at, message: expect.any(String) });
  });

  test('with a path that is no glob are refused', async () => {
    await call('POST', '/me/tokens', jane, { name: 'x', paths: ['a**'] }).expect(400);
  });

  test('come in pages, newest first', async () => {
    const user = await newUser(db);
    for (const name of ['1', '2', '3', '4', '5']) await call('POST', '/me/tokens', user, { name }).expect(201);
    const names: string[] = [];
    for (let path: string | undefined = '/me/tokens?limit=2'; path !== undefined;) {
      const page: Response = await call('GET', path, user).expect(200);
      names.push(...page.body.items.map((item: { name: string }) => item.name));
      const link: string | undefined = page.headers['link'];
      expect(link === undefined).toBe(page.body.next_cursor === undefined);
      path = link && /^<\/api\/v1(.*)>; rel="next"$/.exec(link)![1];
    }
    expect(names).toEqual(['5', '4', '3', '2', '1']);
  });
});

describe('/users', () => {
  test('are made, shown, listed and changed by administrators', async () => {
    const name = fresh();
    const made = await call('POST', '/users', admin, { name, password: PASSWORD }).expect(201);
    expect(made.body).toEqual({ name, admin: false, disabled: false, created_at: expect.any(String) });
    expect((await call('GET', `/users/${name}`, admin).expect(200)).body).toEqual(made.body);
    expect((await call('GET', '/users', admin).expect(200)).body.items).toContainEqual(made.body);
    await call('POST', '/users', admin, { name, password: PASSWORD }).expect(409);
    const changed = await call('PATCH', `/users/${name}`, admin, { admin: true, disabled: true }).expect(200);
    expect(changed.body).toEqual({ ...made.body, admin: true, disabled: true });
    await call('GET', '/me', basic(name, PASSWORD)).expect(401);
    await call('PATCH', `/users/${name}`, admin, { disabled: false, password: 'set by an admin' }).expect(200);
    await call('GET', '/me', basic(name, 'set by an admin')).expect(200);
  });

  test('are nobody else’s business, whether the user exists or not', async () => {
    const answers = new Set<string>();
    for (const path of ['/users', `/users/${joe.name}`, '/users/nobody', `/users/${jane.name}`]) {
      answers.add((await call('GET', path, jane).expect(403)).text);
    }
    answers.add(
      (await call('POST', '/users', jane, { name: fresh(), password: PASSWORD, admin: true }).expect(403)).text,
    );
    answers.add((await call('PATCH', `/users/${jane.name}`, jane, { admin: true }).expect(403)).text);
    expect(answers.size).toBe(1);
    await call('GET', '/users').expect(401);
  });

  test('take an administrator’s token only with the action admin and without path limits', async () => {
    await call('GET', '/users', await token(admin, { actions: ['pull', 'push', 'delete'] })).expect(403);
    await call('GET', '/users', await token(admin, { actions: ['admin'], paths: ['**'] })).expect(403);
    await call('GET', '/users', await token(admin, { actions: ['admin'] })).expect(200);
    await call('GET', '/users', await token(jane, { actions: ['admin'] })).expect(403);
  });

  test('keep the last administrator', async () => {
    await db.query(sql`update users set admin = false where principal_id <> ${admin.id}`);
    for (const change of [{ admin: false }, { disabled: true }]) {
      const answer = await call('PATCH', `/users/${admin.name}`, admin, change).expect(409);
      expect(answer.body.type).toBe('urn:berth:problem:last-admin');
    }
    await call('GET', '/users', admin).expect(200);
  });

  test.each([
    { name: 'Upper', password: PASSWORD },
    { name: 'everyone', password: PASSWORD },
    { name: 'robot-x', password: PASSWORD },
    { name: 'nul\0', password: PASSWORD },
    { name: 'short-password', password: '1234567' },
    { name: 'no-password' },
    { name: 'odd', password: PASSWORD, admin: 'yes' },
    { name: 'odd', password: PASSWORD, is_admin: true },
    { name: 'odd', password: PASSWORD, epoch: 99 },
    { name: 'odd', password: PASSWORD, __proto__x: 1 },
    [[]],
    'text',
    null,
  ])('%j is refused', async (body) => {
    const before = await db.query(sql`select 1 from users`);
    const answer = await call('POST', '/users', admin)
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body));
    expect(answer.status).toBe(400);
    expect(answer.body.type).toMatch(/^urn:berth:problem:(?:validation-failed|malformed-json)$/);
    expect(await db.query(sql`select 1 from users`)).toHaveLength(before.length);
  });

  test.each(['nobody', 'Upper', 'nul%00', '%2e%2e', 'a%2fb', 'everyone'])('%s is 404', async (name) => {
    await call('GET', `/users/${name}`, admin).expect(404);
    await call('PATCH', `/users/${name}`, admin, { admin: true }).expect(404);
  });
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
