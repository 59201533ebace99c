/** What holds for all of /api/v1: entity tags, keys against doing things twice, and limits. */
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { createRate } from '../../src/api/rate.ts';
import { deleteOldKeys } from '../../src/api/queries/idempotency.ts';
import { testApi } from './harness.ts';

const { db, call, project, jane, joe, admin } = await testApi();
let keys = 0;
const fresh = () => `key-${++keys}`;

describe('If-Match', () => {
  test('lets a change through only when nobody else has made one', async () => {
    const name = await project(jane);
    const before = await call('GET', `/projects/${name}`, jane).expect(200);
    const tag = before.headers['etag'] as string;
    const patch = (match: string, body: object) =>
      call('PATCH', `/projects/${name}`, jane, body).set('If-Match', match);
    const changed = await patch(tag, { visibility: 'public' }).expect(200);
    expect(changed.headers['etag']).not.toBe(tag);
    const refused = await patch(tag, { visibility: 'private' }).expect(412);
    expect(refused.body.type).toBe('urn:berth:problem:precondition-failed');
    expect(refused.headers['etag']).toBe(changed.headers['etag']);
    expect((await call('GET', `/projects/${name}`, jane)).body.visibility).toBe('public');
    await patch(`"other", ${changed.headers['etag']}`, { allow_sparse: true }).expect(200);
    await patch('*', { allow_sparse: false }).expect(200);
    await patch(`W/${changed.headers['etag']}`, { allow_sparse: true }).expect(412);
    await call('DELETE', `/projects/${name}`, jane).set('If-Match', tag).expect(412);
    await call('DELETE', `/projects/${name}`, jane)
      .set('If-Match', changed.headers['etag'] as string)
      .expect(204);
  });

  test('of ten who change the same state at once lets one through', async () => {
    const name = await project(jane);
    const tag = (await call('GET', `/projects/${name}`, jane)).headers['etag'] as string;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        call('PATCH', `/projects/${name}`, jane, { visibility: 'public' }).set('If-Match', tag),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  test('holds for grants, too', async () => {
    const name = await project(jane);
    const put = (role: string) =>
      call('PUT', `/projects/${name}/grants`, jane, { subject: joe.name, role }).expect(200);
    const { id } = (await put('reader')).body;
    const path = `/projects/${name}/grants/${id}`;
    const seen = await call('GET', path, jane).expect(200);
    expect(seen.headers['etag']).toBe((await put('reader')).headers['etag']);
    await put('writer');
    await call('DELETE', path, jane)
      .set('If-Match', seen.headers['etag'] as string)
      .expect(412);
    await call('DELETE', path, jane).expect(204);
    await call('GET', path, jane).expect(404);
  });

  test('does not tell whether something is there', async () => {
    const hidden = await project(jane);
    const [one, two] = await Promise.all(
      [hidden, 'missing-project'].map((name) =>
        call('PATCH', `/projects/${name}`, joe, { visibility: 'public' }).set('If-Match', '"x"'),
      ),
    );
    expect([one!.status, one!.text]).toEqual([404, two!.text]);
  });
});

test('If-None-Match gives 304 for what is known, and a page has no tag', async () => {
  const name = await project(jane);
  const tag = (await call('GET', `/projects/${name}`, jane)).headers['etag'] as string;
  const again = await call('GET', `/projects/${name}`, jane).set('If-None-Match', tag).expect(304);
  expect(again.text).toBe('');
  await call('GET', `/projects/${name}`, jane).set('If-None-Match', '"x"').expect(200);
  expect((await call('GET', '/projects', jane).expect(200)).headers).not.toHaveProperty('etag');
});

describe('Idempotency-Key', () => {
  const create = (key: string, body: object, as = jane) =>
    call('POST', '/projects', as, body).set('Idempotency-Key', key);

  test('gives the same answer again, and makes nothing twice', async () => {
    const key = fresh();
    const body = { name: `once-${key}` };
    const first = await create(key, body).expect(201);
    const second = await create(key, body).expect(201);
    expect(second.body).toEqual(first.body);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    await call('POST', '/projects', jane, body).expect(409);
  });

  test('replays a token, which is stored nowhere in clear', async () => {
    const key = fresh();
    const make = () => call('POST', '/me/tokens', jane, { name: 'ci' }).set('Idempotency-Key', key).expect(201);
    const [first, second] = [await make(), await make()];
    expect(second.body.token).toBe(first.body.token);
    expect(
      (await call('GET', '/me/tokens', jane)).body.items.filter(({ name }: { name: string }) => name === 'ci'),
    ).toHaveLength(1);
    const rows = await db.query<{ text: string }>(sql`
      select encode(ciphertext, 'escape') || encode(request, 'escape') as text from idempotency_keys`);
    expect(rows.some(({ text }) => text.includes(first.body.token as string) || text.includes('berth_pat_'))).toBe(
      false,
    );
  });

  test('with another request is refused', async () => {
    const key = fresh();
    await create(key, { name: `a-${key}` }).expect(201);
    const refused = await create(key, { name: `b-${key}` }).expect(409);
    expect(refused.body.type).toBe('urn:berth:problem:idempotency-conflict');
    await call('GET', `/projects/b-${key}`, jane).expect(404);
  });

  test("is each principal's own, and each route's", async () => {
    const key = fresh();
    await create(key, { name: `x-${key}` }).expect(201);
    await create(key, { name: `y-${key}` }, joe).expect(201);
    await call('POST', '/me/tokens', jane, { name: 't' }).set('Idempotency-Key', key).expect(201);
  });

  test('is not used up by a failure', async () => {
    const key = fresh();
    await create(key, { name: 'Not A Name' }).expect(400);
    await create(key, { name: `ok-${key}` }).expect(201);
  });

  test('of ten at once makes one', async () => {
    const key = fresh();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, { name: `race-${key}` })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201 || status === 409)).toHaveLength(10);
    expect(statuses).toContain(201);
    for (const answer of answers) {
      if (answer.status === 409) expect(answer.body.type).toBe('urn:berth:problem:idempotency-unfinished');
    }
    await create(key, { name: `race-${key}` }).expect(201);
  });

  test('whose first request was cut off says so, instead of trying again', async () => {
    const key = fresh();
    const body = { name: `cut-${key}` };
    await create(key, body).expect(201);
    await db.query(sql`update idempotency_keys set status = null, ciphertext = null where route = 'project-create'`);
    expect((await create(key, body).expect(409)).headers['retry-after']).toBe('1');
    await db.query(sql`update idempotency_keys set created_at = now() - interval '2 minutes' where status is null`);
    const cut = await create(key, body).expect(409);
    expect(cut.body.detail).toMatch(/was cut off/);
    expect(cut.headers).not.toHaveProperty('retry-after');
  });

  test('is forgotten after a day', async () => {
    const key = fresh();
    await create(key, { name: `old-${key}` }).expect(201);
    await db.query(sql`update idempotency_keys set created_at = now() - interval '25 hours'`);
    await create(key, { name: `new-${key}` }).expect(201);
    await deleteOldKeys(db);
    expect(await db.query(sql`select 1 from idempotency_keys`)).toHaveLength(1);
  });

  test.each(['', 'ü', 'a b', 'x'.repeat(256)])('%j is none', async (key) => {
    await create(key, { name: `odd-${fresh()}` }).expect(key === '' ? 201 : 400);
  });

  test('opens nothing to who may not create', async () => {
    const key = fresh();
    const body = { name: `user-${key}`, password: 'a long password' };
    const make = (as: typeof jane) => call('POST', '/users', as, body).set('Idempotency-Key', key);
    await make(admin).expect(201);
    await make(jane).expect(403);
  });
});

describe('limits', async () => {
  const limited = await testApi({ rate: 5 });

  test('are said, and hold for each principal by itself, denied requests included', async () => {
    const me = () => limited.call('GET', '/users', limited.jane);
    const left: string[] = [];
    for (let i = 0; i < 5; i++) left.push((await me().expect(403)).headers['ratelimit'] as string);
    expect(left.map((text) => /^"api";r=(\d);t=\d+$/.exec(text)?.[1])).toEqual(['4', '3', '2', '1', '0']);
    const refused = await me().expect(429);
    expect(refused.headers).toMatchObject({
      'ratelimit-policy': '"api";q=5;w=60',
      'retry-after': expect.stringMatching(/^[1-9]\d*$/),
    });
    expect(refused.body.type).toBe('urn:berth:problem:too-many-requests');
    await limited.call('GET', '/me', limited.joe).expect(200);
    for (let i = 0; i < 5; i++) await limited.call('GET', '/projects').expect(200);
    await limited.call('GET', '/projects').expect(429);
  });

  test('begin anew when the minute is over', () => {
    let clock = 0;
    const rate = createRate(2, () => clock);
    const principal = { id: 1 } as never;
    const count = () => rate.count({ set() {} } as never, principal, '');
    count();
    count();
    expect(count).toThrow('At most 2 requests a minute; go on in 60 s.');
    clock = 59_999;
    expect(count).toThrow('go on in 1 s');
    clock = 60_000;
    expect(count).not.toThrow();
  });
});

describe('a body', () => {
  test('of someone who has not signed in is not read, even where everyone may look', async () => {
    const name = await project(jane, { visibility: 'public' });
    await call('GET', `/projects/${name}`).expect(200);
    const paths = [`/projects/${name}/shares`, `/projects/${name}/charts/web/versions/1.0.0/yank`];
    for (const [method, path] of [
      ['POST', paths[0]],
      ['PUT', paths[1]],
    ] as const) {
      const answer = await call(method, path!).set('Content-Type', 'application/json').send('{').expect(401);
      expect(answer.body.type).toBe('urn:berth:problem:unauthenticated');
    }
  });

  test.each(['\\ud83d', '\\ude00', 'x\\ude00\\ud83d'])('with half of a surrogate pair is refused: %s', async (half) => {
    const name = await project(jane);
    const post = (body: string) =>
      call('POST', `/projects/${name}/robots`, jane).set('Content-Type', 'application/json').send(body);
    const answer = await post(`{"name":"bot","description":"${half}"}`).expect(400);
    expect(answer.body.type).toBe('urn:berth:problem:malformed-json');
    await post(`{"name":"bot","${half}":1}`).expect(400);
    await post('{"name":"bot","description":"\\ud83d\\ude00"}').expect(201);
  });
});
