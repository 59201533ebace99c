import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { identify } from '../../src/auth/identify.ts';
import { basic, newGrant } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const { db, call, project, admin, jane, joe, authenticator, gate, facts, reported } = await testApi();

const home = await project(jane);
const { id: homeId } = (await db.first<{ id: number }>(sql`select id from projects where name = ${home}`))!;
let count = 0;

/** A robot of the project with a token; answers the names and the token. */
async function robot(limits: Record<string, unknown> = {}) {
  const name = `bot${++count}`;
  const { body } = await call('POST', `/projects/${home}/robots`, jane, { name }).expect(201);
  const path = `/projects/${home}/robots/${name}`;
  const made = await call('POST', `${path}/tokens`, jane, { name: 'ci', ...limits }).expect(201);
  const row = await db.first<{ id: number }>(
    sql`select id from principals where kind = 'robot' and name = ${body.account}`,
  );
  return {
    name,
    path,
    account: body.account as string,
    id: row!.id,
    token: made.body.token as string,
    tokenId: made.body.id,
  };
}

/** What the gate says to the credentials. */
async function may(header: string, action: 'pull' | 'push' | 'admin', path: string): Promise<boolean> {
  const who = await identify(authenticator, { authorization: header, address: '' }, (id) => facts(path, id));
  return (await gate.decide(who.principal, action, who.facts)).effect === 'allow';
}

describe('a robot', () => {
  test('is made by an owner of its project, named for shells, and shown', async () => {
    const made = await call('POST', `/projects/${home}/robots`, jane, { name: 'deploy.eu', description: 'EU' });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      name: 'deploy.eu',
      account: `robot-${home}-deploy.eu`,
      description: 'EU',
      disabled: false,
      created_at: expect.any(String),
    });
    expect(made.body.account).toMatch(/^[a-z0-9._-]+$/);
    expect((await call('GET', `/projects/${home}/robots/deploy.eu`, jane).expect(200)).body).toEqual(made.body);
    expect((await call('GET', `/projects/${home}/robots`, jane).expect(200)).body.items).toContainEqual(made.body);
    await call('POST', `/projects/${home}/robots`, jane, { name: 'deploy.eu' }).expect(409);
    await call('POST', `/projects/${home}/robots`, joe, { name: 'mine' }).expect(404);
    await call('GET', `/projects/${home}/robots`).expect(401);
  });

  test.each([
    { name: 'with-dash' },
    { name: 'Upper' },
    { name: 'a b' },
    { name: 'a$b' },
    { name: '' },
    { name: 'x'.repeat(33) },
    { name: 'ok', description: 'a\nb' },
    { name: 'ok', admin: true },
    { name: 'ok', project_id: 1 },
    { name: 'ok', account: 'robot-else-x' },
  ])('%j is refused', async (body) => {
    await call('POST', `/projects/${home}/robots`, jane, body).expect(400);
  });

  test('cannot be made to clash with one of a project that its maker does not see', async () => {
    await call('POST', '/projects', joe, { name: `${home}-eu` }).expect(201);
    const one = await call('POST', `/projects/${home}-eu/robots`, joe, { name: 'x' }).expect(201);
    expect(one.body.account).toBe(`robot-${home}-eu-x`);
    await call('POST', `/projects/${home}/robots`, jane, { name: 'eu-x' }).expect(400);
  });

  test('signs in with its token as password and its account as name', async () => {
    const { account, token } = await robot({ actions: ['pull'], paths: [`${home}/**`] });
    for (const header of [
      basic(account, token),
      basic(account.toUpperCase(), token),
      basic('', token),
      `Bearer ${token}`,
    ]) {
      expect((await call('GET', '/me', header).expect(200)).body).toEqual({
        name: account,
        kind: 'robot',
        admin: false,
        credential: 'token',
        actions: ['pull'],
        paths: [`${home}/**`],
        expires_at: expect.any(String),
      });
    }
    await call('GET', '/me', basic(jane.name, token)).expect(401);
    await call('GET', '/me', basic(account, 'a password')).expect(401);
  });

  test('may do what grants say within what its token says', async () => {
    const { id, token } = await robot({ actions: ['pull', 'push'] });
    const header = `Bearer ${token}`;
    expect(await may(header, 'pull', `${home}/app`)).toBe(false);
    await newGrant(db, homeId, id, { role: 'owner', pathGlob: 'app/**' });
    expect(await may(header, 'push', `${home}/app/api`)).toBe(true);
    expect(await may(header, 'push', `${home}/other`)).toBe(false);
    expect(await may(header, 'admin', `${home}/app`)).toBe(false);
  });

  test('makes no tokens for itself, and no projects', async () => {
    const { token } = await robot({ actions: ['pull', 'push', 'delete', 'admin'] });
    await call('POST', '/me/tokens', `Bearer ${token}`, { name: 'more' }).expect(403);
    await call('POST', '/projects', `Bearer ${token}`, { name: 'robots-own' }).expect(403);
  });

  test('stops at the next request when it is disabled, and goes on when it is not any more', async () => {
    const { path, token } = await robot();
    await call('GET', '/me', `Bearer ${token}`).expect(200);
    const changed = await call('PATCH', path, jane, { disabled: true }).expect(200);
    expect(changed.body.disabled).toBe(true);
    await call('GET', '/me', `Bearer ${token}`).expect(401);
    await call('PATCH', path, jane, { disabled: false, description: 'back' }).expect(200);
    await call('GET', '/me', `Bearer ${token}`).expect(200);
  });

  test('is gone with its tokens when it is removed, and a new one of its name starts with nothing', async () => {
    const { name, path, token, id } = await robot();
    await newGrant(db, homeId, id, { role: 'owner' });
    await call('GET', '/me', `Bearer ${token}`).expect(200);
    await call('DELETE', path, jane).expect(204);
    await call('GET', '/me', `Bearer ${token}`).expect(401);
    await call('DELETE', path, jane).expect(404);
    await call('POST', `/projects/${home}/robots`, jane, { name }).expect(201);
    expect((await call('GET', `${path}/tokens`, jane).expect(200)).body.items).toEqual([]);
    const second = await call('POST', `${path}/tokens`, jane, { name: 'x' }).expect(201);
    expect(await may(`Bearer ${second.body.token}`, 'pull', `${home}/app`)).toBe(false);
  });

  test('goes with its project', async () => {
    const gone = await project(jane);
    await call('POST', `/projects/${gone}/robots`, jane, { name: 'x' }).expect(201);
    const { body } = await call('POST', `/projects/${gone}/robots/x/tokens`, jane, { name: 'x' }).expect(201);
    await call('GET', '/me', `Bearer ${body.token}`).expect(200);
    await call('DELETE', `/projects/${gone}`, jane).expect(204);
    await call('GET', '/me', `Bearer ${body.token}`).expect(401);
    expect(await db.query(sql`select 1 from principals where name = ${`robot-${gone}-x`}`)).toEqual([]);
  });
});

describe("a robot's tokens", () => {
  test('are several, shown once, stored as hashes, and revoked one by one', async () => {
    const { path, token, tokenId } = await robot();
    const second = await call('POST', `${path}/tokens`, jane, { name: 'second', expires_in_days: 1 }).expect(201);
    expect(second.body.token).toMatch(/^berth_bot_/);
    await call('GET', '/me', `Bearer ${token}`).expect(200);
    await authenticator.settled();
    const list = await call('GET', `${path}/tokens`, jane).expect(200);
    expect(list.body.items).toMatchObject([
      { id: second.body.id, name: 'second' },
      { id: tokenId, name: 'ci', last_used_at: expect.any(String) },
    ]);
    expect(list.text).not.toContain(token.slice(10, 40));
    const stored = await db.query(sql`select t::text from tokens t union all select e::text from events e`);
    expect(JSON.stringify(stored)).not.toContain(token.slice(10, 40));

    await call('DELETE', `${path}/tokens/${tokenId}`, jane).expect(204);
    await call('GET', '/me', `Bearer ${token}`).expect(401);
    await call('GET', '/me', `Bearer ${second.body.token}`).expect(200);
  });

  test('of another robot look like ones that do not exist, whatever the path', async () => {
    const [one, other] = [await robot(), await robot()];
    const elsewhere = await project(joe);
    await call('POST', `/projects/${elsewhere}/robots`, joe, { name: one.name }).expect(201);
    await call('DELETE', `${one.path}/tokens/${other.tokenId}`, jane).expect(404);
    await call('DELETE', `/projects/${elsewhere}/robots/${one.name}/tokens/${one.tokenId}`, joe).expect(404);
    await call('GET', `/projects/${elsewhere}/robots/${other.name}`, joe).expect(404);
    await call('DELETE', `/robots/${one.name}/tokens/${one.tokenId}`, admin).expect(404);
    await call('DELETE', `/me/tokens/${one.tokenId}`, jane).expect(404);
    for (const { token } of [one, other]) await call('GET', '/me', `Bearer ${token}`).expect(200);
  });

  test("are no person's, even if a row said so", async () => {
    const { token, tokenId } = await robot();
    await db.query(sql`update tokens set principal_id = ${admin.id} where id = ${Number(tokenId)}`);
    await call('GET', '/me', `Bearer ${token}`).expect(401);
  });

  test('end by themselves', async () => {
    const { token, id } = await robot();
    await db.query(sql`update tokens set expires_at = now() where principal_id = ${id}`);
    await call('GET', '/me', `Bearer ${token}`).expect(401);
  });
});

describe('robots of the hub', () => {
  test("are an administrator's, and named without a project", async () => {
    const made = await call('POST', '/robots', admin, { name: 'mirror' }).expect(201);
    expect(made.body.account).toBe('robot-mirror');
    const { body } = await call('POST', '/robots/mirror/tokens', admin, { name: 'x' }).expect(201);
    expect((await call('GET', '/me', `Bearer ${body.token}`).expect(200)).body.name).toBe('robot-mirror');
    expect((await call('GET', '/robots', admin).expect(200)).body.items).toHaveLength(1);
    for (const [method, path, sent] of [
      ['GET', '/robots', undefined],
      ['POST', '/robots', { name: 'mine' }],
      ['GET', '/robots/mirror', undefined],
      ['POST', '/robots/mirror/tokens', { name: 'mine' }],
      ['DELETE', '/robots/mirror', undefined],
    ] as const) {
      await call(method, path, jane, sent).expect(403);
      await call(method, path, `Bearer ${body.token}`, sent).expect(403);
    }
    await call('GET', `/projects/${home}/robots/mirror`, jane).expect(404);
    await call('DELETE', '/robots/mirror', admin).expect(204);
  });
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
