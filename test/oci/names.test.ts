import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { exchangeRaw, image, index, unique, basic, type Answer } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const owner = await hub.person();
const direct = hub.client(owner.credentials, 'basic');

describe('names that the specification allows', () => {
  it.each([
    '',
    '/a',
    '/a/b/c/d/e/f/g',
    '/a.b',
    '/a_b',
    '/a__b',
    '/a-b',
    '/a---b',
    '/0',
    '/1.2.3',
    '/a.b_c__d-e/f',
    `/${'x'.repeat(200)}`,
  ])('project%s can be pushed to and pulled from', async (rest) => {
    const repo = owner.client.repo(`${unique('p')}${rest}`);
    const content = image({ layers: [100] });
    await repo.mustPushImage(content, 'v1');
    expect(await repo.mustPull('v1')).toEqual(content.manifest.bytes);
    expect((await repo.tags()).json()).toEqual({ name: repo.name, tags: ['v1'] });
  });

  it.each([
    'blobs',
    'blobs/uploads',
    'manifests',
    'manifests/latest',
    'tags',
    'tags/list',
    'referrers',
    'uploads',
    'a/blobs/uploads/b',
    'a/manifests/b/tags/list',
    'v2',
    'v2/a',
  ])('project/%s, which looks like an endpoint, is a name too', async (rest) => {
    const repo = owner.client.repo(`${unique('p')}/${rest}`);
    const content = image({ layers: [100] });
    await repo.mustPushImage(content, 'list');
    expect(await repo.mustPull('list')).toEqual(content.manifest.bytes);
    expect((await repo.tags()).json()).toEqual({ name: repo.name, tags: ['list'] });
    expect(await repo.mustReferrers(content.manifest.digest)).toEqual([]);
    expect((await repo.deleteManifest('list')).status).toBe(202);
  });
});

describe('names that it does not allow', () => {
  it.each([
    'UPPER/case',
    'a/Upper',
    '-a/b',
    'a-/b',
    'a/b-',
    '.a/b',
    'a./b',
    'a..b/c',
    'a/_b',
    'a___b/c',
    'a._b/c',
    'a b/c',
    'ü/b',
    'a/@b',
    'a:b/c',
    'a+b/c',
    '_/b',
    `${'x'.repeat(256)}/y`,
    `a/${'b/'.repeat(200)}c`,
  ])('%.40s is 400 NAME_INVALID or not found, and is not created', async (name) => {
    const path = encodeURI(name);
    for (const [method, rest] of [
      ['GET', '/tags/list'],
      ['GET', '/manifests/v1'],
      ['POST', '/blobs/uploads/'],
    ] as const) {
      expectError(
        await direct.request(method, `/v2/${path}${rest}`),
        [400, 404],
        ['NAME_INVALID', 'NAME_UNKNOWN', 'UNSUPPORTED'],
      );
    }
    const { rows } = await hub.db.pool.query(
      'select 1 from repositories where path = $1 union select 1 from projects where name = $1',
      [name],
    );
    expect(rows).toEqual([]);
  });

  it.each(['api', 'v2', 'auth', 'files', 'charts', 'cli', 'ui', 'assets', 'example.com', 'a.b'])(
    'a project called %s is not made by a push: the name is kept',
    async (name) => {
      for (const client of [direct, hub.admin]) {
        const scopes = [`repository:${name}/x:pull,push`];
        const answer = await client.request('POST', `/v2/${name}/x/blobs/uploads/`, { scopes });
        expectError(answer, [400, 403, 404], ['NAME_INVALID', 'DENIED', 'NAME_UNKNOWN']);
      }
    },
  );
});

describe('spellings of a path', async () => {
  const repo = await hub.repo();
  const secret = index([], { extra: { annotations: { secret: unique() } } });
  await repo.mustPut(secret, 'v1');
  const [project, rest] = repo.name.split('/') as [string, string];

  const spellings = [
    `/v2/${project}%2F${rest}/manifests/v1`,
    `/v2/${project}%2f${rest}/manifests/v1`,
    `/v2/${project}%252F${rest}/manifests/v1`,
    `/v2//${repo.name}/manifests/v1`,
    `//v2/${repo.name}/manifests/v1`,
    `/v2/${project}//${rest}/manifests/v1`,
    `/v2/${repo.name}//manifests/v1`,
    `/v2/${repo.name}/manifests//v1`,
    `/v2/./${repo.name}/manifests/v1`,
    `/v2/x/../${repo.name}/manifests/v1`,
    `/v2/x/%2e%2e/${repo.name}/manifests/v1`,
    `/v2/x/..%2f${repo.name}/manifests/v1`,
    `/v2/..%2f..%2fv2/${repo.name}/manifests/v1`,
    `/v2/${repo.name}/manifests/v1/`,
    `/v2/${repo.name}/manifests/v1;x`,
    `/v2/${repo.name};x/manifests/v1`,
    `/V2/${repo.name}/manifests/v1`,
    `/v2/${repo.name.toUpperCase()}/manifests/v1`,
    `/v2/${repo.name}/manifests/%76%31`,
    `/v2/${repo.name}/%6d%61nifests/v1`,
    `/v2\\${repo.name}\\manifests\\v1`,
    `/v2/${repo.name}%00/manifests/v1`,
    `/v2/${repo.name}/manifests/v1%00`,
    `/v2/${repo.name}/manifests/v1%0d%0aX:%20y`,
    `/v2/${repo.name}/manifests/%zz`,
    `/v2/${repo.name}/manifests/%ff%fe`,
    `/v2/%c0%af/${repo.name}/manifests/v1`,
    `/v2/${repo.name}/manifests/v1%20`,
    `/v2/${repo.name}/manifests/v1?/../../x`,
    `/v2/${repo.name}/manifests/v1#x`,
  ];

  it.each(spellings)('%s shows a stranger nothing', async (path) => {
    const answer = await raw(path);
    expect(answer.body).not.toContain(secret.bytes.toString('latin1').slice(20, 60));
    expect(answer.status).toBeGreaterThanOrEqual(300);
    expect(answer.status).toBeLessThan(500);
    expect(answer.type).not.toMatch(/html/);
  });

  it.each(spellings)('%s is for its owner what the plain path is, or a refusal', async (path) => {
    const answer = await raw(path, `Authorization: ${adminBasic()}\r\n`);
    expect(answer.status).toBeLessThan(500);
    if (answer.status === 200) expect(answer.body).toContain(secret.bytes.toString('latin1'));
    expect(answer.type).not.toMatch(/html/);
  });

  it('a method cannot be overridden', async () => {
    const headers = { 'X-HTTP-Method-Override': 'DELETE', 'X-HTTP-Method': 'DELETE', 'X-Method-Override': 'DELETE' };
    expect((await repo.getManifest('v1', headers)).body).toEqual(secret.bytes);
    const answer: Answer = await repo.request('GET', '/manifests/v1?_method=DELETE');
    expect(answer.body).toEqual(secret.bytes);
    expect((await repo.getManifest('v1')).status).toBe(200);
  });

  it('HTTP/1.0 and absolute-form requests are decided like others', async () => {
    const path = `/v2/${repo.name}/manifests/v1`;
    const old = await exchangeRaw(hub.origin, `GET ${path} HTTP/1.0\r\n\r\n`);
    expect(old).toMatch(/^HTTP\/1\.[01] 401 /);
    const absolute = await raw(`${hub.origin}${path}`);
    expect([400, 401, 404]).toContain(absolute.status);
  });

  function adminBasic(): string {
    return basic(hub.adminCredentials);
  }

  /** The path goes out as it is: Node's own client would refuse some of these. */
  async function raw(path: string, headers = ''): Promise<{ status: number; type: string; body: string }> {
    const host = new URL(hub.origin).host;
    const text = await exchangeRaw(
      hub.origin,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`,
    );
    const at = text.indexOf('\r\n\r\n');
    return {
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]),
      type: /^content-type: *(.*)$/im.exec(text.slice(0, at))?.[1] ?? '',
      body: text.slice(at + 4),
    };
  }
});
