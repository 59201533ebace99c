import sql from 'sql-template-tag';
import type { Response } from 'supertest';
import { describe, expect, test } from 'vitest';
import { newUser } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const { db, call, project, token, repository, admin, jane, joe, reported } = await testApi();
const epoch = async (name: string) =>
  (await db.first<{ epoch: number }>(sql`select epoch from projects where name = ${name}`))!.epoch;
const names = (answer: { body: { items: { name: string }[] } }) => answer.body.items.map(({ name }) => name);
const events = async (type: string) =>
  (
    await db.query<{ data: Record<string, unknown> }>(
      sql`select data from events where type = ${`dev.berth.${type}`} order by id`,
    )
  ).map(({ data }) => data);

describe('a project', () => {
  test('is made by someone who then owns it', async () => {
    const made = await call('POST', '/projects', jane, { name: 'acme' }).expect(201);
    expect(made.body).toEqual({
      name: 'acme',
      kind: 'hosted',
      visibility: 'private',
      allow_sparse: false,
      created_at: expect.any(String),
    });
    expect((await call('GET', '/projects/acme', jane).expect(200)).body).toEqual(made.body);
    expect((await call('GET', '/projects/acme/grants', jane).expect(200)).body.items).toEqual([
      expect.objectContaining({
        subject: jane.name,
        subject_type: 'user',
        role: 'owner',
        path_glob: '**',
        create_only: false,
      }),
    ]);
    expect(await events('project.created')).toContainEqual({
      project: 'acme',
      visibility: 'private',
      allow_sparse: false,
    });
    await call('POST', '/projects', joe, { name: 'acme' }).expect(409);
  });

  test.each([
    'api',
    'v2',
    'auth',
    'files',
    'charts',
    'cli',
    'ui',
    'assets',
    'ghcr.io',
    'Upper',
    'a/b',
    '-a',
    'a--',
    'x'.repeat(65),
    '',
  ])('is not called %j', async (name) => {
    await call('POST', '/projects', admin, { name }).expect(400);
  });

  test('is made with its settings, which its owner changes', async () => {
    const name = await project(jane, { visibility: 'public', allow_sparse: true });
    expect((await call('GET', `/projects/${name}`, jane)).body).toMatchObject({
      visibility: 'public',
      allow_sparse: true,
    });
    const before = await epoch(name);
    const changed = await call('PATCH', `/projects/${name}`, jane, { visibility: 'private' }).expect(200);
    expect(changed.body).toMatchObject({ visibility: 'private', allow_sparse: true });
    expect(await epoch(name)).toBe(before + 1);
    expect((await events('project.updated')).at(-1)).toEqual({
      project: name,
      before: { visibility: 'public', allow_sparse: true },
      after: { visibility: 'private', allow_sparse: true },
    });
  });

  test('is made by nobody who is not signed in, nor by a token that may not push there', async () => {
    await call('POST', '/projects', undefined, { name: 'by-nobody' }).expect(401);
    await call('POST', '/projects', await token(jane, { actions: ['pull', 'admin'] }), { name: 'by-token' }).expect(
      403,
    );
    const elsewhere = await token(jane, { actions: ['push'], paths: ['elsewhere/**'] });
    await call('POST', '/projects', elsewhere, { name: 'by-token' }).expect(403);
    await call('POST', '/projects', elsewhere, { name: 'elsewhere' }).expect(201);
  });

  test('goes only when it is empty, with its grants', async () => {
    const name = await project(jane);
    await repository(`${name}/app`);
    expect((await call('DELETE', `/projects/${name}`, jane).expect(409)).body.type).toBe(
      'urn:berth:problem:project-not-empty',
    );
    await db.query(sql`delete from repositories where path = ${`${name}/app`}`);
    await call('DELETE', `/projects/${name}`, jane).expect(204);
    await call('GET', `/projects/${name}`, jane).expect(404);
    expect(await events('project.deleted')).toContainEqual({ project: name });
    await call('POST', '/projects', joe, { name }).expect(201);
    await call('GET', `/projects/${name}`, jane).expect(404);
  });

  test.each([
    { visibility: 'secret' },
    { name: 'renamed' },
    { epoch: 1 },
    { kind: 'proxy' },
    { created_by: 1 },
    { allow_sparse: 1 },
  ])('does not take %j', async (body) => {
    const name = await project(jane);
    const row = () => db.first(sql`select * from projects where name = ${name}`);
    const before = await row();
    await call('PATCH', `/projects/${name}`, jane, body).expect(400);
    expect(await row()).toEqual(before);
  });
});

describe('what others see', () => {
  test('missing and hidden are the same, for every route below a project', async () => {
    const hidden = await project(jane);
    await repository(`${hidden}/app`);
    const routes: [string, string, object?][] = [
      ['GET', ''],
      ['PATCH', '', { visibility: 'public' }],
      ['DELETE', ''],
      ['GET', '/repositories'],
      ['GET', '/grants'],
      ['PUT', '/grants', { subject: joe.name, role: 'owner' }],
      ['DELETE', '/grants/1'],
    ];
    for (const [method, path, body] of routes) {
      for (const as of [joe, undefined]) {
        const [one, two] = await Promise.all(
          [hidden, 'missing-project'].map((name) => call(method, `/projects/${name}${path}`, as, body)),
        );
        expect(one!.status, `${method} ${path}`).toBe(as === undefined ? 401 : 404);
        expect(one!.text).toBe(two!.text);
        expect({ ...one!.headers, date: '' }).toEqual({ ...two!.headers, date: '' });
      }
    }
    expect((await call('GET', `/projects/${hidden}`, jane)).body.visibility).toBe('private');
  });

  test('a public project shows to everyone, and is changed by its owners only', async () => {
    const name = await project(jane, { visibility: 'public' });
    for (const as of [joe, undefined]) {
      await call('GET', `/projects/${name}`, as).expect(200);
      await call('GET', `/projects/${name}/repositories`, as).expect(200);
      const status = as === undefined ? 401 : 403;
      await call('PATCH', `/projects/${name}`, as, { visibility: 'private' }).expect(status);
      await call('DELETE', `/projects/${name}`, as).expect(status);
      await call('GET', `/projects/${name}/grants`, as).expect(status);
      await call('PUT', `/projects/${name}/grants`, as, { subject: joe.name, role: 'owner' }).expect(status);
    }
  });

  test('a part of a project shows the project, and of its repositories that part', async () => {
    const name = await project(jane);
    const user = await newUser(db);
    for (const path of ['a/one', 'a/two', 'b/three']) await repository(`${name}/${path}`);
    await call('PUT', `/projects/${name}/grants`, jane, {
      subject: user.name,
      role: 'reader',
      path_glob: 'a/**',
    }).expect(200);
    await call('GET', `/projects/${name}`, user).expect(200);
    const list = await call('GET', `/projects/${name}/repositories`, user).expect(200);
    expect(list.body.items.map(({ path }: { path: string }) => path)).toEqual([`${name}/a/one`, `${name}/a/two`]);
    expect((await call('GET', `/projects/${name}/repositories`, jane)).body.items).toHaveLength(3);
    const narrow = await token(jane, { actions: ['pull'], paths: [`${name}/b/**`] });
    expect((await call('GET', `/projects/${name}/repositories`, narrow)).body.items).toHaveLength(1);
  });

  test.each(['a%2fb', 'Upper', '..', '%2e%2e', '%00', 'a%5cb', 'x'.repeat(300), '%zz'])(
    '%s is no project',
    async (name) => {
      const answer = await call('GET', `/projects/${name}`, admin);
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    },
  );

  test('another project is not reached by a slash that hides in the name', async () => {
    const name = await project(jane);
    await call('GET', `/projects/${name}%2fx`, jane).expect(404);
    await call('DELETE', `/projects/${name}%2fx`, jane).expect(404);
  });
});

describe('the list', () => {
  test('has what one may see, in pages that are complete', async () => {
    const user = await newUser(db);
    const mine = await Promise.all(Array.from({ length: 5 }, () => project(user)));
    const seen: string[] = [];
    for (let path: string | undefined = '/projects?limit=2'; path !== undefined;) {
      const page: Response = await call('GET', path, user).expect(200);
      expect(page.body.items.length).toBeLessThanOrEqual(2);
      seen.push(...names(page));
      path = page.body.next_cursor && `/projects?limit=2&cursor=${page.body.next_cursor}`;
    }
    expect(seen).toEqual([...seen].sort());
    expect(seen).toEqual(expect.arrayContaining(mine));
    const hidden = await project(joe);
    expect(names(await call('GET', '/projects?limit=1000', user))).not.toContain(hidden);
    expect(names(await call('GET', '/projects?limit=1000'))).not.toContain(mine[0]);
    expect(names(await call('GET', '/projects?limit=1000', admin))).toEqual(expect.arrayContaining([...mine, hidden]));
  });

  test('of a token holds only what its paths touch', async () => {
    const [one, two] = [await project(jane), await project(jane)];
    const header = await token(jane, { actions: ['pull'], paths: [`${one}/app`] });
    const list = names(await call('GET', '/projects?limit=1000', header));
    expect(list).toEqual([one]);
    expect(list).not.toContain(two);
    expect(names(await call('GET', '/projects', await token(jane, { actions: ['push'] })))).toEqual([]);
  });

  test.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1&limit=2',
    'cursor=!!!',
    'cursor=MTIz',
    'cursor=IlwwIg',
    'page=2',
  ])('does not take ?%s', async (query) => {
    expect((await call('GET', `/projects?${query}`, jane).expect(400)).body.type).toBe(
      'urn:berth:problem:validation-failed',
    );
  });
});

describe('grants', () => {
  test('are given, changed and taken, and hold from the next request on', async () => {
    const name = await project(jane);
    const user = await newUser(db);
    await call('GET', `/projects/${name}`, user).expect(404);
    const given = await call('PUT', `/projects/${name}/grants`, jane, { subject: user.name, role: 'reader' }).expect(
      200,
    );
    expect(given.body).toEqual({
      id: expect.stringMatching(/^\d+$/),
      subject: user.name,
      subject_type: 'user',
      role: 'reader',
      path_glob: '**',
      create_only: false,
      created_at: expect.any(String),
    });
    await call('GET', `/projects/${name}`, user).expect(200);
    await call('PATCH', `/projects/${name}`, user, { visibility: 'public' }).expect(403);
    const changed = await call('PUT', `/projects/${name}/grants`, jane, { subject: user.name, role: 'owner' }).expect(
      200,
    );
    expect(changed.body).toEqual({ ...given.body, role: 'owner' });
    const before = await epoch(name);
    await call('PATCH', `/projects/${name}`, user, {}).expect(200);
    await call('PATCH', `/projects/${name}`, user, { visibility: 'private' }).expect(200);
    expect(await epoch(name)).toBe(before);
    await call('DELETE', `/projects/${name}/grants/${given.body.id}`, jane).expect(204);
    await call('GET', `/projects/${name}`, user).expect(404);
    await call('DELETE', `/projects/${name}/grants/${given.body.id}`, jane).expect(404);
    expect((await events('grant.set')).at(-1)).toMatchObject({ subject: user.name, role: 'owner' });
    expect((await events('grant.removed')).at(-1)).toMatchObject({ subject: user.name, role: 'owner' });
  });

  test('may be for parts, tags, a time, and everyone', async () => {
    const name = await project(jane);
    const body = {
      subject: 'everyone',
      role: 'writer',
      path_glob: 'team-a/**',
      tag_glob: 'dev-*',
      create_only: true,
      expires_at: '2099-01-01T00:00:00+01:00',
    };
    const given = await call('PUT', `/projects/${name}/grants`, jane, body).expect(200);
    expect(given.body).toMatchObject({ ...body, subject_type: 'everyone', expires_at: '2098-12-31T23:00:00.000Z' });
  });

  test('of another project are not reached with the id of this one', async () => {
    const [mine, his] = [await project(jane), await project(joe)];
    const given = await call('PUT', `/projects/${his}/grants`, joe, { subject: admin.name, role: 'reader' }).expect(
      200,
    );
    await call('DELETE', `/projects/${mine}/grants/${given.body.id}`, jane).expect(404);
    expect((await call('GET', `/projects/${his}/grants`, joe)).body.items).toHaveLength(2);
  });

  test.each([
    { subject: 'nobody-at-all', role: 'reader' },
    { subject: '', role: 'reader' },
    { subject: 'nul\0', role: 'reader' },
    { role: 'reader' },
    { subject: 'everyone', role: 'root' },
    { subject: 'everyone', role: 'reader', path_glob: 'a**' },
    { subject: 'everyone', role: 'reader', path_glob: '' },
    { subject: 'everyone', role: 'reader', path_glob: '(a+)+$' },
    { subject: 'everyone', role: 'reader', tag_glob: 'a/b' },
    { subject: 'everyone', role: 'reader', expires_at: 'tomorrow' },
    { subject: 'everyone', role: 'reader', project_id: 1 },
    { subject: 'everyone', role: 'reader', created_by: 1 },
  ])('%j is refused', async (body) => {
    const name = await project(jane);
    await call('PUT', `/projects/${name}/grants`, jane, body).expect(400);
    expect((await call('GET', `/projects/${name}/grants`, jane)).body.items).toHaveLength(1);
  });

  test('are managed with a token only if that may administrate this project', async () => {
    const name = await project(jane);
    for (const limits of [
      { actions: ['pull', 'push', 'delete'] },
      { actions: ['pull', 'admin'], paths: [`${name}/team/**`] },
    ]) {
      await call('GET', `/projects/${name}/grants`, await token(jane, limits)).expect(403);
    }
    await call(
      'GET',
      `/projects/${name}/grants`,
      await token(jane, { actions: ['pull', 'admin'], paths: [`${name}/**`] }),
    ).expect(200);
  });
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
