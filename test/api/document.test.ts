import { readFile } from 'node:fs/promises';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { openApi } from '../../src/api/openapi.ts';
import { CATALOGUE } from '../../src/api/problems.ts';
import { apiRoutes } from '../../src/api/routes.ts';
import { ORIGIN, SESSIONS } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const api = await testApi();
const { call, callback, jane, admin, authenticator, reported } = api;
const routes = apiRoutes({ ...api, publicUrls: [ORIGIN], sessions: SESSIONS });

describe('docs/openapi.json', () => {
  test('is what the code says; npm run openapi writes it', async () => {
    const file = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
    expect(JSON.stringify(JSON.parse(file))).toBe(JSON.stringify(openApi(routes)));
  });

  test('is served too, to everyone', async () => {
    expect((await call('GET', '/openapi.json').expect(200)).body).toEqual(openApi(routes));
  });

  test('names every operation once, says who may, and what it answers', () => {
    const document = openApi(routes) as { paths: Record<string, Record<string, Record<string, unknown>>> };
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    expect(operations).toHaveLength(routes.length);
    expect(new Set(operations.map((each) => each['operationId'])).size).toBe(routes.length);
    for (const operation of operations) {
      expect(operation['x-berth-policy']).toMatch(
        /^(?:anyone|sign-in|signed-in|password|hub-admin|project:(?:see|admin))$/,
      );
    }
  });

  test('is explained in docs/api.md, problem by problem and route by route', async () => {
    const text = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
    for (const name of Object.keys(CATALOGUE)) expect(text, name).toContain(`\`${name}\``);
    for (const { method, path } of routes)
      expect(text, path).toContain(`\`${method} ${path.replaceAll(/:([a-z]+)/g, '{$1}')}\``);
  });
});

describe('bodies', () => {
  const post = (type: string, body: string | Buffer) =>
    call('POST', '/me/tokens', jane)
      .set('Content-Type', type)
      .send(body as string);

  test.each([
    ['text/plain', '{"name":"x"}', 415],
    ['application/x-www-form-urlencoded', 'name=x', 415],
    ['application/json', '{', 400],
    ['application/json', '', 400],
    ['application/json', '"\ud800"', 400],
    ['application/json; charset=utf-8', '{"name":"x"}', 201],
  ])('%s %j: %s', async (type, body, status) => {
    const answer = await post(type, body);
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  test('of more than 1 MiB are refused', async () => {
    const answer = await post('application/json', JSON.stringify({ name: 'x'.repeat(2 ** 20) }));
    expect(answer.status).toBe(413);
    expect(answer.body.type).toBe('urn:berth:problem:body-too-large');
  });

  test('are not looked at before it is clear who may send them', async () => {
    await call('POST', '/users', jane).set('Content-Type', 'application/json').send('{').expect(403);
    await call('POST', '/users').set('Content-Type', 'application/json').send('{').expect(401);
  });

  test('with a hostile prototype change nothing', async () => {
    const body = '{"name":"x","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';
    expect((await post('application/json', body)).status).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('paths that are not offered', () => {
  test.each([
    '/api',
    '/api/',
    '/api/v1',
    '/api/v1/',
    '/api/v1/nothing',
    '/api/v2/me',
    '/api/v1/me/x',
    '/api/v1/openapi.json/x',
  ])('%s is a 404 problem', async (path) => {
    const answer = await request(callback).get(path).expect(404);
    expect(answer.body.type).toBe('urn:berth:problem:not-found');
  });

  test.each([
    '/api/v1//users',
    '/api/v1/./users',
    '/api/v1/%75sers',
    '/api/v1/Users',
    '/api/v1/users;x',
    '/API/v1/users',
    '/api/v1/users/',
    '/api//v1/users',
  ])('%s is no way around the policy of /users', async (path) => {
    for (const authorization of [
      undefined,
      `Basic ${Buffer.from(`${jane.name}:correct horse battery`).toString('base64')}`,
    ]) {
      const sent = request(callback).get(path);
      if (authorization) sent.set('Authorization', authorization);
      expect((await sent).status).toBeGreaterThanOrEqual(400);
    }
  });

  test('methods are not overridden', async () => {
    await call('POST', '/me', jane).set('X-HTTP-Method-Override', 'GET').expect(404);
    await call('GET', '/users', jane).set('X-HTTP-Method-Override', 'POST').expect(403);
  });
});

test('every route refuses strangers, except those that say otherwise', async () => {
  for (const { method, path, policy } of routes) {
    const filled = path.replaceAll(/:[a-z]+/g, '1');
    if (policy.kind === 'sign-in') continue;
    const answer = await call(method, filled);
    expect(answer.status, `${method} ${path}`).toBe(policy.kind === 'anyone' ? 200 : 401);
    await call(method, filled, 'Basic malformed!').expect(401);
  }
  await authenticator.settled();
  expect(admin.admin).toBe(true);
  expect(reported).toEqual([]);
});
