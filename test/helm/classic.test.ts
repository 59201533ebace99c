import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send, type Answer } from '../harness/oci-client.ts';
import { chart } from './charts.ts';
import { classic, multipart, type Classic, type Index } from './client.ts';

const hub = await testHub();

async function door(): Promise<Classic> {
  return classic(hub, `${await hub.project()}/charts`);
}

async function filled(...versions: string[]): Promise<Classic> {
  const made = await door();
  for (const version of versions) expectStatus(await made.upload((await chart({ version })).bytes), 201);
  return made;
}

function errorOf(answer: Answer): string {
  return answer.json<{ error: string }>().error;
}

describe('index.yaml', () => {
  it('of a namespace without charts is empty, and valid', async () => {
    const made = await door();
    expect(await made.index()).toEqual({
      apiVersion: 'v1',
      entries: {},
      generated: '1970-01-01T00:00:00.000Z',
      serverInfo: { contextPath: `/charts/${made.namespace}` },
    });
  });

  it('sorts versions by precedence, newest first, and charts by name', async () => {
    const versions = ['1.0.0', '1.0.0-rc.2', '1.0.0-rc.10', '0.9', 'v2.0.0', '10.0.0', '1.0.0+b', '1.0.0-rc'];
    const made = await filled(...versions);
    for (const name of ['zeta', 'alpha']) expectStatus(await made.upload((await chart({ name })).bytes), 201);
    const { entries } = await made.index();
    expect(Object.keys(entries)).toEqual(['alpha', 'web', 'zeta']);
    expect(entries['web']!.map((entry) => entry.version)).toEqual([
      ...['10.0.0', 'v2.0.0', '1.0.0+b', '1.0.0', '1.0.0-rc.10', '1.0.0-rc.2', '1.0.0-rc', '0.9'],
    ]);
  });

  it('says nothing that helm’s strict reader does not know, and dates the newest entry', async () => {
    const made = await filled('1.0.0');
    const index = await made.index();
    expect(Object.keys(index).sort()).toEqual(['apiVersion', 'entries', 'generated', 'serverInfo']);
    const [entry] = index.entries['web']!;
    expect(Object.keys(entry!)).toEqual(['name', 'version', 'apiVersion', 'urls', 'created', 'digest']);
    expect(index.generated).toBe(entry!.created);
  });

  it('has an ETag that changes with the content alone, and answers 304', async () => {
    const made = await filled('1.0.0');
    const first = expectStatus(await made.get('/index.yaml'), 200);
    const etag = first.header('ETag')!;
    expect(first.header('Cache-Control')).toBe('private, no-cache');
    expect(first.header('Vary')).toBe('Authorization, Accept-Encoding');
    expect(expectStatus(await made.get('/index.yaml', { 'If-None-Match': etag }), 304).body).toHaveLength(0);
    const head = expectStatus(await made.request('HEAD', '/index.yaml'), 200);
    expect(head.header('Content-Length')).toBe(String(first.body.length));
    expectStatus(await made.upload((await chart({ version: '1.0.0' })).bytes), 201);
    expectStatus(await made.get('/index.yaml', { 'If-None-Match': etag }), 304);
    expectStatus(await made.upload((await chart({ version: '2.0.0' })).bytes), 201);
    const second = expectStatus(await made.get('/index.yaml', { 'If-None-Match': etag }), 200);
    expectStatus(await made.request('DELETE', '/api/charts/web/2.0.0'), 200);
    const third = expectStatus(await made.get('/index.yaml', { 'If-None-Match': second.header('ETag')! }), 200);
    expect(third.header('ETag')).toBe(etag);
  });

  it('comes compressed to who takes it, as one gzip stream of the same content', async () => {
    const made = await filled('1.0.0', '2.0.0');
    expectStatus(await made.upload((await chart({ name: 'api-server' })).bytes), 201);
    const plain = await made.get('/index.yaml');
    const packed = await made.get('/index.yaml', { 'Accept-Encoding': 'gzip' });
    expect(packed.header('Content-Encoding')).toBe('gzip');
    expect(gunzipSync(packed.body)).toEqual(plain.body);
    expect(packed.header('ETag')).not.toBe(plain.header('ETag'));
    expectStatus(
      await made.get('/index.yaml', { 'Accept-Encoding': 'gzip', 'If-None-Match': packed.header('ETag')! }),
      304,
    );
    // An empty one is well-formed, too.
    const none = await (await door()).get('/index.yaml', { 'Accept-Encoding': 'gzip' });
    expect(JSON.parse(gunzipSync(none.body).toString())).toMatchObject({ entries: {} });
  });
});

describe('an archive', () => {
  it('is served whole, in part, and not at all when it is known', async () => {
    const made = await door();
    const packed = await chart({ version: '1.0.0+b' });
    expectStatus(await made.upload(packed.bytes), 201);
    const whole = expectStatus(await made.get(`/${packed.file}`), 200);
    expect(whole.header('Content-Type')).toBe('application/gzip');
    expect(whole.header('ETag')).toBe(`"sha256:${packed.sha256}"`);
    const part = expectStatus(await made.get(`/${packed.file}`, { Range: 'bytes=2-5' }), 206);
    expect(part.body).toEqual(packed.bytes.subarray(2, 6));
    expectStatus(await made.get(`/${packed.file}`, { 'If-None-Match': whole.header('ETag')! }), 304);
    expectStatus(await made.get(`/${packed.file}`, { Range: 'bytes=99999999-' }), 416);
    const head = expectStatus(await made.request('HEAD', `/${packed.file}`), 200);
    expect(head.header('Content-Length')).toBe(String(packed.bytes.length));
    for (const spelling of ['web-1.0.0%2Bb.tgz', 'web-1.0.0%20b.tgz']) {
      expect((await made.get(`/${spelling}`)).body).toEqual(packed.bytes);
    }
  });

  it.each(['/web-9.9.9.tgz', '/other-1.0.0.tgz', '/web.tgz', '/x', '/web-1.0.0.tgz.prov', '/web-1.0.0.tgz.prov.prov'])(
    'that is not there is not found: %s',
    async (path) => {
      const answer = expectStatus(await (await filled('1.0.0')).get(path), 404);
      expect(errorOf(answer)).toBe('There is no such chart here');
      expect(answer.header('X-Request-Id')).toBeDefined();
    },
  );
});

describe('an upload', () => {
  it('of another chart under a version that is there is refused, unless it is forced', async () => {
    const made = await filled('1.0.0');
    const other = await chart({ version: '1.0.0', metadata: { description: 'other' } });
    expect(errorOf(expectStatus(await made.upload(other.bytes), 409))).toMatch(/already exists/);
    expectStatus(await made.upload(other.bytes, '?force'), 201);
    expect((await made.get(`/${other.file}`)).body).toEqual(other.bytes);
  });

  it.each([
    ['a name in upper case', { name: 'Web' }, /cannot be the last part of a repository/],
    ['a name with two separators', { name: 'a..b' }, /cannot be the last part/],
    ['a long version', { version: `1.0.0-${'x'.repeat(130)}` }, /longer than the 128 of a tag/],
    ['a name of 200 characters', { name: 'x'.repeat(240) }, /cannot be the last part/],
  ])('of %s is refused with the reason', async (_what, options, reason) => {
    expect(errorOf(expectStatus(await (await door()).upload((await chart(options)).bytes), 400))).toMatch(reason);
  });

  it('of a name of 63 characters is taken', async () => {
    const made = await door();
    const packed = await chart({ name: `a${'-b'.repeat(31)}` });
    expectStatus(await made.upload(packed.bytes), 201);
    expect((await made.get(`/${packed.file}`)).body).toEqual(packed.bytes);
  });

  it('with much to say about itself is taken', async () => {
    const made = await door();
    const description = 'a long story. '.repeat(8_000);
    expectStatus(await made.upload((await chart({ metadata: { description } })).bytes), 201);
    expect((await made.index()).entries['web']).toMatchObject([{ description }]);
  });

  it('that is no chart is refused with helm’s reason', async () => {
    expect(errorOf(expectStatus(await (await door()).upload(Buffer.from('hello')), 400))).toMatch(
      /gzip: invalid header/,
    );
  });

  it('that is too large is refused before it is read', async () => {
    const made = await door();
    const answer = await made.request('POST', '/api/charts', {}, Buffer.alloc(20 * 2 ** 20 + 1));
    expect(errorOf(expectStatus(answer, 413))).toMatch(/larger than 20971520/);
  });

  it.each([
    ['no file', {}, /neither a file in its field chart nor/],
    ['another field', { other: Buffer.from('x') }, /one file in its field chart/],
    ['too large a provenance file', { prov: Buffer.alloc(2 ** 20 + 1) }, /larger than 1048576/],
  ])('as a form with %s is refused', async (_what, fields: Record<string, Buffer>, reason) => {
    const answer = await (await door()).form(fields);
    expect([400, 413]).toContain(answer.status);
    expect(errorOf(answer)).toMatch(reason);
  });

  it('as a form that ends early, has no boundary, or another one is refused', async () => {
    const made = await door();
    const { type, body } = multipart({ chart: (await chart()).bytes });
    const post = (contentType: string, bytes: Buffer) =>
      made.request('POST', '/api/charts', { 'Content-Type': contentType }, bytes);
    expectStatus(await post(type, body.subarray(0, -10)), 400);
    expectStatus(await post('multipart/form-data', body), 400);
    expectStatus(await post('multipart/form-data; boundary=x', body), 400);
  });
});

describe('ChartMuseum’s API', () => {
  it('lists charts, one chart and one version', async () => {
    const made = await filled('1.0.0', '1.1.0', '2.0.0-rc.1');
    const { entries } = await made.index();
    expect(expectStatus(await made.get('/api/charts'), 200).json()).toEqual(entries);
    expect((await made.get('/api/charts?offset=1')).json()).toEqual({});
    expect((await made.get('/api/charts?limit=1')).json()).toEqual(entries);
    expectStatus(await made.get('/api/charts?limit=0'), 400);
    expect((await made.get('/api/charts/web')).json()).toEqual(entries['web']);
    expect((await made.get('/api/charts/web/1.0.0')).json()).toEqual(entries['web']![2]);
    expect((await made.get('/api/charts/web/1.0.0/values')).body.toString()).toContain('# How many.\nreplicas: 2');
    expect((await made.get('/api/charts/web/1.0.0/templates')).json()).toMatchObject({
      templates: [{ name: 'templates/service.yaml' }],
      values: { replicas: 2 },
    });
    expectStatus(await made.get('/api/charts/web/9.0.0/values'), 404);
    expectStatus(await made.request('HEAD', '/api/charts/web'), 200);
    expectStatus(await made.request('HEAD', '/api/charts/web/1.0.0'), 200);
    expectStatus(await made.request('HEAD', '/api/charts/web/9.0.0'), 404);
    expectStatus(await made.get('/api/charts/other'), 404);
  });

  it.each([
    ['latest', '1.1.0'],
    ['^1.0', '1.1.0'],
    ['~1.0.0', '1.0.0'],
    ['>=1, <1.1', '1.0.0'],
    ['1.x', '1.1.0'],
    ['>=2.0.0-0', '2.0.0-rc.1'],
  ])('finds %s, and says what it is', async (wanted, version) => {
    const made = await filled('1.0.0', '1.1.0', '2.0.0-rc.1');
    const answer = expectStatus(await made.get(`/api/charts/web/${encodeURIComponent(wanted)}`), 200);
    expect(answer.json<{ version: string }>().version).toBe(version);
    expect(answer.header('Content-Location')).toBe(`/charts/${made.namespace}/api/charts/web/${version}`);
    expect(answer.header('Cache-Control')).toBe('private, no-cache');
    expectStatus(await made.request('DELETE', `/api/charts/web/${encodeURIComponent(wanted)}`), 404);
  });

  it('is found under every address that its clients come to', async () => {
    const made = await door();
    const { contextPath } = (await made.index()).serverInfo;
    // helm cm-push joins context path, `api`, what is left of the repository's path, and `charts`.
    const forms = [
      `${contextPath}/api/charts`,
      `/charts/api/${made.namespace}/charts`,
      `/api/charts/${made.namespace}/charts`,
    ];
    for (const [i, path] of forms.entries()) {
      const { type, body } = multipart({ chart: (await chart({ version: `${i}.0.0` })).bytes });
      const headers = { Authorization: basic(hub.adminCredentials), 'Content-Type': type };
      expectStatus(await send(hub.origin, { method: 'POST', path, headers, body }), 201);
      expectStatus(await send(hub.origin, { method: 'POST', path, headers: { 'Content-Type': type }, body }), 401);
    }
    expect((await made.index()).entries['web']!.map((entry) => entry.version)).toEqual(['2.0.0', '1.0.0', '0.0.0']);
    const gone = { method: 'DELETE', headers: { Authorization: basic(hub.adminCredentials) } };
    expectStatus(await send(hub.origin, { ...gone, path: `/charts/api/${made.namespace}/charts/web/2.0.0` }), 200);
  });

  it.each(['/api', '/index', '/../index.yaml', '/api/other'])('has nothing at %s', async (path) => {
    expect((await (await door()).get(path)).status).toBe(404);
  });

  it('says which methods a path offers', async () => {
    const made = await door();
    expect(expectStatus(await made.request('PUT', '/api/charts'), 405).header('Allow')).toMatch(/POST/);
  });
});

describe('a namespace', () => {
  it('has no segment api', async () => {
    const headers = { Authorization: basic(hub.adminCredentials) };
    for (const path of ['/charts/acme/api/x/index.yaml', '/charts/api/index.yaml', '/charts/Acme/index.yaml']) {
      expectStatus(await send(hub.origin, { path, headers }), 404);
    }
  });

  it('can be a project, or deeper', async () => {
    const project = await hub.project();
    for (const namespace of [project, `${project}/a/b/c`]) {
      const made = classic(hub, namespace);
      expectStatus(await made.upload((await chart()).bytes), 201);
      expect(Object.keys((await made.index()).entries)).toEqual(['web']);
    }
  });

  it('comes to be with the first upload, as its project does', async () => {
    const made = classic(hub, `new${Date.now()}/charts`);
    expectStatus(await made.get('/index.yaml'), 404);
    expectStatus(await made.upload((await chart()).bytes), 201);
    const index: Index = await made.index();
    expect(Object.keys(index.entries)).toEqual(['web']);
  });
});
