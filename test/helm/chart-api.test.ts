import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, type Answer } from '../harness/oci-client.ts';
import { chart, pushWithHelm } from './charts.ts';
import { classic } from './client.ts';

const hub = await testHub();
const replica = await hub.replica();

async function place() {
  const project = await hub.project();
  const namespace = `${project}/charts`;
  const path = `/projects/${project}/charts/charts%2Fweb`;
  return {
    project,
    namespace,
    door: classic(hub, namespace),
    repo: hub.admin.repo(`${namespace}/web`),
    get: async (rest: string) => hub.api('GET', `${path}${rest}`),
    put: async (rest: string, body?: unknown) => hub.api('PUT', `${path}${rest}`, body),
    remove: async (rest: string) => hub.api('DELETE', `${path}${rest}`),
  };
}

function versionsOf(answer: Answer): string[] {
  return expectStatus(answer, 200)
    .json<{ items: { version: string }[] }>()
    .items.map((item) => item.version);
}

describe('GET /projects/{project}/charts', () => {
  it('lists charts by path, page by page', async () => {
    const { project, namespace, door } = await place();
    for (const name of ['b', 'a']) expectStatus(await door.upload((await chart({ name })).bytes), 201);
    const first = (await hub.api('GET', `/projects/${project}/charts?limit=1`)).json<{
      items: object[];
      next_cursor: string;
    }>();
    expect(first.items).toMatchObject([{ path: `${namespace}/a`, namespace, name: 'a', versions: 1 }]);
    const second = await hub.api('GET', `/projects/${project}/charts?limit=1&cursor=${first.next_cursor}`);
    expect(second.json<{ items: object[] }>().items).toMatchObject([{ path: `${namespace}/b` }]);
  });
});

describe('versions of a chart', () => {
  it('are listed newest first, page by page', async () => {
    const { get, door } = await place();
    for (const version of ['1.0.0', '1.10.0', '1.9.0']) await door.upload((await chart({ version })).bytes);
    expect(versionsOf(await get('/versions'))).toEqual(['1.10.0', '1.9.0', '1.0.0']);
    const page = (await get('/versions?limit=2')).json<{ next_cursor: string }>();
    expect(versionsOf(await get(`/versions?limit=2&cursor=${page.next_cursor}`))).toEqual(['1.0.0']);
  });

  it('are found by themselves, as latest and by a range, which then say what they are', async () => {
    const { get, door, project } = await place();
    for (const version of ['1.0.0', '1.1.0+b', '2.0.0-rc.1']) await door.upload((await chart({ version })).bytes);
    for (const [wanted, version] of Object.entries({
      latest: '1.1.0+b',
      '^1.0': '1.1.0+b',
      '>=2.0.0-0': '2.0.0-rc.1',
    })) {
      const answer = expectStatus(await get(`/versions/${encodeURIComponent(wanted)}/values`), 200);
      expect(answer.json()).toMatchObject({ version });
      expect(answer.header('Content-Location')).toBe(
        `/api/v1/projects/${project}/charts/charts%2Fweb/versions/${encodeURIComponent(version)}/values`,
      );
    }
    expect((await get('/versions/1.0.0')).header('Content-Location')).toBeUndefined();
    for (const wanted of ['3.x', 'nonsense', '1.0', '9.9.9', 'x'.repeat(500)]) {
      expectStatus(await get(`/versions/${wanted}`), 404);
    }
  });

  it.each(['classic', 'oci'])('show what is in the archive, as it came through the %s door', async (way) => {
    const { get, door, repo } = await place();
    const packed = await chart({
      metadata: { appVersion: '7', dependencies: [{ name: 'db', version: '^1', repository: 'oci://example.test' }] },
      files: {
        'README.md': '# Web\n\0<script>',
        'values.schema.json': '{"type":"object"}',
        'crds/thing.yaml': 'kind: CustomResourceDefinition',
        'Chart.lock': 'dependencies:\n- name: db\n  version: 1.4.0\n  repository: oci://example.test\n',
        LICENSE: 'not kept',
      },
    });
    if (way === 'classic') expectStatus(await door.upload(packed.bytes), 201);
    else await pushWithHelm(repo, packed);
    const details = (await get('/versions/1.2.3')).json<Record<string, unknown>>();
    expect(details).toMatchObject({
      version: '1.2.3',
      digest: `sha256:${packed.sha256}`,
      app_version: '7',
      metadata: { name: 'web', apiVersion: 'v2' },
      packed_at: '2026-01-02T03:04:05.000Z',
    });
    expect(details['files']).toContainEqual({ path: 'LICENSE', size: 8 });
    expect((await get('/versions/1.2.3/readme')).json()).toMatchObject({ text: '# Web\n\ufffd<script>' });
    const values = (await get('/versions/1.2.3/values')).json<{ text: string }>().text;
    expect(values).toContain('# How many.\nreplicas: 2');
    expect((await get('/versions/1.2.3/schema')).json()).toMatchObject({ text: '{"type":"object"}' });
    expect((await get('/versions/1.2.3/templates')).json()).toEqual({
      version: '1.2.3',
      templates: [
        { path: 'crds/thing.yaml', size: 30, text: 'kind: CustomResourceDefinition' },
        { path: 'templates/service.yaml', size: 54, text: 'kind: Service\nmetadata: { name: {{ .Release.Name }} }\n' },
      ],
    });
    expect((await get('/versions/1.2.3/dependencies')).json()).toEqual({
      version: '1.2.3',
      dependencies: [{ name: 'db', version: '^1', repository: 'oci://example.test' }],
      locked: [{ name: 'db', version: '1.4.0', repository: 'oci://example.test' }],
    });
  });

  it('say what changed from one to the other', async () => {
    const { get, door } = await place();
    const before = await chart({
      version: '1.0.0',
      metadata: {
        dependencies: [
          { name: 'db', version: '^1', repository: 'x' },
          { name: 'old', repository: 'x' },
        ],
      },
      files: { 'values.yaml': '# n\nreplicas: 1\nimage:\n  tag: a\nhosts: [a, b]\n', 'templates/gone.yaml': 'x\n' },
    });
    const after = await chart({
      version: '2.0.0',
      metadata: { dependencies: [{ name: 'db', version: '^2', repository: 'x' }] },
      files: {
        'values.yaml': '# n\nreplicas: 2\nimage:\n  tag: a\n  a.b: 1\nhosts: [a]\n',
        'templates/new.yaml': 'y\n',
      },
    });
    for (const each of [before, after]) expectStatus(await door.upload(each.bytes), 201);
    const diff = expectStatus(await get('/versions/latest/diff?from=1.0.0'), 200).json<{
      values: { changes: object[]; patch: string };
      templates: object[];
      dependencies: object[];
    }>();
    expect(diff).toMatchObject({ from: '1.0.0', to: '2.0.0' });
    expect(diff.values.changes).toEqual([
      { path: 'replicas', before: 1, after: 2 },
      { path: String.raw`image.a\.b`, after: 1 },
      { path: 'hosts[1]', before: 'b' },
    ]);
    expect(diff.values.patch).toContain('-replicas: 1\n+replicas: 2\n');
    expect(diff.templates).toMatchObject([
      { path: 'templates/gone.yaml', change: 'removed' },
      { path: 'templates/new.yaml', change: 'added' },
    ]);
    expect(diff.dependencies).toMatchObject([
      { name: 'db', before: { version: '^1' }, after: { version: '^2' } },
      { name: 'old', before: { repository: 'x' } },
    ]);
    expectStatus(await get('/versions/2.0.0/diff'), 400);
    expectStatus(await get('/versions/2.0.0/diff?from=7.0.0'), 404);
  });

  it('show to who may pull them, and to nobody else', async () => {
    const { project, namespace, door } = await place();
    expectStatus(await door.upload((await chart()).bytes), 201);
    expectStatus(await door.upload((await chart({ name: 'other' })).bytes), 201);
    const { name, credentials } = await hub.person();
    const read = (path: string) =>
      hub.client(credentials, 'basic').request('GET', `/api/v1/projects/${project}/charts${path}`);
    expectStatus(await read('/charts%2Fweb/versions'), 404);
    await hub.api('PUT', `/projects/${project}/grants`, { subject: name, role: 'reader', path_glob: 'charts/web' });
    expect(versionsOf(await read('/charts%2Fweb/versions'))).toEqual(['1.2.3']);
    expect((await read('')).json<{ items: object[] }>().items).toMatchObject([{ path: `${namespace}/web` }]);
    const hidden = expectStatus(await read('/charts%2Fother/versions'), 404).json<Record<string, unknown>>();
    const missing = expectStatus(await read('/charts%2Fnothing/versions'), 404).json<Record<string, unknown>>();
    expect({ ...hidden, request_id: '' }).toEqual({ ...missing, request_id: '' });
    for (const path of ['/..%2F..%2Fother/versions', '/charts%2FWEB/versions']) expectStatus(await read(path), 404);
  });
});

describe('a yanked version', () => {
  it('is hidden from the index of every replica, and still pulled', async () => {
    const { get, put, remove, door, repo, namespace } = await place();
    const packed = await chart({ version: '1.1.0' });
    for (const each of [await chart({ version: '1.0.0' }), packed]) expectStatus(await door.upload(each.bytes), 201);
    const elsewhere = classic({ ...hub, origin: replica.origin }, namespace);
    const listed = async () => ((await elsewhere.index()).entries['web'] ?? []).map((entry) => entry.version);
    expect(await listed()).toEqual(['1.1.0', '1.0.0']);
    expectStatus(await put('/versions/1.1.0/yank', { reason: 'leaks' }), 204);
    expect(await listed()).toEqual(['1.0.0']);
    expectStatus(await elsewhere.get('/web-1.1.0.tgz'), 200);
    expectStatus(await repo.getManifest('1.1.0'), 200);
    expect((await get('/versions/latest')).json()).toMatchObject({ version: '1.0.0' });
    expect((await get('/versions/1.1.0')).json()).toMatchObject({ yanked: { reason: 'leaks' } });
    expect(versionsOf(await get('/versions'))).toEqual(['1.1.0', '1.0.0']);
    // It belongs to the content: pushed again by either door, or deleted first, it stays yanked.
    await pushWithHelm(repo, packed);
    expectStatus(await door.request('DELETE', '/api/charts/web/1.1.0'), 200);
    expectStatus(await door.upload(packed.bytes), 201);
    expect(await listed()).toEqual(['1.0.0']);
    expectStatus(await remove('/versions/1.1.0/yank'), 204);
    expect(await listed()).toEqual(['1.1.0', '1.0.0']);
  });

  it('is not what replaces it', async () => {
    const { put, door } = await place();
    expectStatus(await door.upload((await chart()).bytes), 201);
    expectStatus(await put('/versions/1.2.3/yank', { reason: 'broken' }), 204);
    expect((await door.index()).entries).toEqual({});
    expectStatus(await door.upload((await chart({ metadata: { description: 'mended' } })).bytes, '?force'), 201);
    expect((await door.index()).entries['web']).toMatchObject([{ description: 'mended' }]);
  });

  it('is named exactly, with a reason, by who may delete', async () => {
    const { put, door, project } = await place();
    expectStatus(await door.upload((await chart()).bytes), 201);
    expectStatus(await put('/versions/latest/yank', { reason: 'x' }), 404);
    expectStatus(await put('/versions/1.2.3/yank', {}), 400);
    const { name, credentials } = await hub.person();
    await hub.api('PUT', `/projects/${project}/grants`, { subject: name, role: 'writer' });
    const theirs = hub
      .client(credentials, 'basic')
      .request('PUT', `/api/v1/projects/${project}/charts/charts%2Fweb/versions/1.2.3/yank`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ reason: 'x' }),
      });
    expectStatus(await theirs, 403);
  });
});
