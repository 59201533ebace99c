import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send, type Answer, type Credentials } from '../harness/oci-client.ts';
import { chart } from './charts.ts';
import { classic, type Classic } from './client.ts';

const hub = await testHub();
const NOBODY: Credentials = { username: '', password: '' };

/** A client of the classic door that sends no credentials. */
function anonymous(namespace: string): Classic {
  const made = classic(hub, namespace, NOBODY);
  const request: Classic['request'] = (method, path, headers = {}, body) =>
    send(hub.origin, { method, path: `/charts/${namespace}${path}`, headers, ...(body && { body }) });
  return { ...made, request, get: (path, headers) => request('GET', path, headers) };
}

async function filled(visibility: 'private' | 'public', names: readonly string[] = ['web']) {
  const project = await hub.project({ visibility });
  const namespace = `${project}/charts`;
  for (const name of names) expectStatus(await classic(hub, namespace).upload((await chart({ name })).bytes), 201);
  return { project, namespace };
}

async function grant(project: string, subject: string, role: string, glob: string): Promise<void> {
  const answer = await hub.api('PUT', `/projects/${project}/grants`, { subject, role, path_glob: glob });
  if (answer.status >= 300) throw new Error(answer.body.toString());
}

/** Without what differs from answer to answer. */
function comparable(answer: Answer): unknown {
  const headers = answer.all('WWW-Authenticate').concat(answer.all('Cache-Control'), answer.all('Content-Type'));
  return [answer.status, headers, answer.body.toString()];
}

describe('without credentials', () => {
  it('a public project’s charts are served, a private one’s ask for Basic', async () => {
    const open = anonymous((await filled('public')).namespace);
    expect(Object.keys((await open.get('/index.yaml')).json<{ entries: object }>().entries)).toEqual(['web']);
    expectStatus(await open.get('/web-1.2.3.tgz'), 200);
    expectStatus(await open.get('/api/charts/web/1.2.3'), 200);
    const closed = anonymous((await filled('private')).namespace);
    for (const path of ['/index.yaml', '/web-1.2.3.tgz', '/api/charts', '/api/charts/web', '/api/charts/web/1.2.3']) {
      const answer = expectStatus(await closed.get(path), 401);
      expect(answer.all('WWW-Authenticate')).toEqual(['Basic realm="Berth", charset="UTF-8"']);
    }
  });

  it('nothing is written, and bodies are not read', async () => {
    const { namespace } = await filled('public');
    for (const path of ['/api/charts', '/api/prov']) {
      expectStatus(await anonymous(namespace).request('POST', path, {}, Buffer.from('x')), 401);
    }
    expectStatus(await anonymous(namespace).request('DELETE', '/api/charts/web/1.2.3'), 401);
  });

  it('what is missing in a private project and what has no project look like what is there', async () => {
    const { namespace } = await filled('private');
    const there = await anonymous(namespace).get('/web-1.2.3.tgz');
    expect(comparable(await anonymous(namespace).get('/web-9.9.9.tgz'))).toEqual(comparable(there));
    expect(comparable(await anonymous('nowhere/charts').get('/web-1.2.3.tgz'))).toEqual(comparable(there));
  });
});

describe('somebody without rights', () => {
  it('sees the same as where nothing is', async () => {
    const { namespace } = await filled('private');
    const { credentials } = await hub.person();
    const [here, nowhere] = [classic(hub, namespace, credentials), classic(hub, 'nowhere/charts', credentials)];
    for (const path of ['/index.yaml', '/web-1.2.3.tgz', '/api/charts', '/api/charts/web', '/api/charts/web/1.2.3']) {
      const answer = await here.get(path);
      expect(answer.status).toBe(404);
      expect(comparable(await nowhere.get(path))).toEqual(comparable(answer));
    }
    expectStatus(await here.upload((await chart()).bytes), 404);
    expectStatus(await here.request('DELETE', '/api/charts/web/1.2.3'), 404);
  });

  it('and wrong credentials are refused, also where anybody may read', async () => {
    const { namespace } = await filled('public');
    const wrong = classic(hub, namespace, { username: 'admin', password: 'wrong' });
    expectStatus(await wrong.get('/index.yaml'), 401);
  });
});

describe('a reader', () => {
  it('reads, and is told what is missing for the rest', async () => {
    const { project, namespace } = await filled('private');
    const { name, credentials } = await hub.person();
    await grant(project, name, 'reader', '**');
    const door = classic(hub, namespace, credentials);
    expect(Object.keys((await door.index()).entries)).toEqual(['web']);
    expectStatus(await door.get('/web-1.2.3.tgz'), 200);
    expectStatus(await door.upload((await chart({ version: '2.0.0' })).bytes), 403);
    expectStatus(await door.request('DELETE', '/api/charts/web/1.2.3'), 403);
  });

  it('of some charts finds an index of those, whatever others have asked for before', async () => {
    const { project, namespace } = await filled('private', ['web', 'web-db', 'internal']);
    const people = await Promise.all([hub.person(), hub.person()]);
    await grant(project, people[0].name, 'reader', 'charts/web*');
    await grant(project, people[1].name, 'reader', 'charts/internal');
    const [some, other] = people.map(({ credentials }) => classic(hub, namespace, credentials)) as [Classic, Classic];
    expect(Object.keys((await classic(hub, namespace).index()).entries)).toEqual(['internal', 'web', 'web-db']);
    expect(Object.keys((await some.index()).entries)).toEqual(['web', 'web-db']);
    expect(Object.keys((await some.get('/api/charts')).json<object>())).toEqual(['web', 'web-db']);
    expect(Object.keys((await other.index()).entries)).toEqual(['internal']);
    const tags = await Promise.all([some, other].map(async (door) => (await door.get('/index.yaml')).header('ETag')));
    expect(new Set(tags).size).toBe(2);
    expectStatus(await some.get('/internal-1.2.3.tgz'), 404);
    expectStatus(await some.get('/api/charts/internal'), 404);
    expect(comparable(await some.get('/internal-1.2.3.tgz'))).toEqual(comparable(await some.get('/no-such-1.2.3.tgz')));
  });

  it('loses sight of the index with the right, at once', async () => {
    const { project, namespace } = await filled('private');
    const { name, credentials } = await hub.person();
    await grant(project, name, 'reader', '**');
    const door = classic(hub, namespace, credentials);
    expectStatus(await door.get('/index.yaml'), 200);
    const grants = (await hub.api('GET', `/projects/${project}/grants`)).json<{
      items: { id: string; subject: string }[];
    }>();
    const mine = grants.items.find((each) => each.subject === name)!;
    expect((await hub.api('DELETE', `/projects/${project}/grants/${mine.id}`)).status).toBe(204);
    expectStatus(await door.get('/index.yaml'), 404);
  });
});

describe('a writer', () => {
  it('of some charts uploads those, and no others', async () => {
    const { project, namespace } = await filled('private');
    const { name, credentials } = await hub.person();
    await grant(project, name, 'writer', 'charts/web');
    const door = classic(hub, namespace, credentials);
    expectStatus(await door.upload((await chart({ version: '2.0.0' })).bytes), 201);
    expectStatus(await door.upload((await chart({ name: 'other' })).bytes), 403);
    expectStatus(await hub.admin.repo(`${namespace}/other`).getManifest('1.2.3'), 404);
  });

  it('of nothing has no body read, whatever is in it', async () => {
    const { project, namespace } = await filled('public');
    const [reader, stranger] = [await hub.person(), await hub.person()];
    await grant(project, reader.name, 'reader', '**');
    for (const { credentials } of [reader, stranger]) {
      const door = classic(hub, namespace, credentials);
      for (const path of ['/api/charts', '/api/prov']) {
        const answer = expectStatus(await door.request('POST', path, {}, Buffer.from('no chart')), 403);
        expect(answer.json<{ error: string }>().error).toMatch(/^You may not push here/);
      }
    }
  });

  it('who is refused is in the audit trail', async () => {
    const { project, namespace } = await filled('private');
    const { name, credentials } = await hub.person();
    await grant(project, name, 'writer', 'charts/web');
    const door = classic(hub, namespace, credentials);
    expectStatus(await door.upload((await chart({ name: 'other' })).bytes), 403);
    expectStatus(await door.request('DELETE', '/api/charts/web/1.2.3'), 403);
    await hub.context.denials.flush();
    const { items } = (await hub.api('GET', `/projects/${project}/audit`)).json<{ items: Record<string, unknown>[] }>();
    const denied = items.filter((each) => each['decision'] === 'deny').map((each) => each['route']);
    expect(new Set(denied)).toEqual(new Set(['helm-delete', 'helm-upload']));
  });

  it('who may only create cannot force', async () => {
    const { project, namespace } = await filled('private');
    const { name, credentials } = await hub.person();
    const body = { subject: name, role: 'writer', path_glob: '**', create_only: true };
    expect((await hub.api('PUT', `/projects/${project}/grants`, body)).status).toBeLessThan(300);
    const door = classic(hub, namespace, credentials);
    expectStatus(await door.upload((await chart({ metadata: { description: 'x' } })).bytes, '?force'), 403);
    expectStatus(await door.upload((await chart({ version: '2.0.0' })).bytes), 201);
  });
});

describe('credentials', () => {
  it('may be a personal token, limited to what it may do and where', async () => {
    const { project, namespace } = await filled('private', ['web', 'other']);
    const { credentials, name } = await hub.person();
    await grant(project, name, 'owner', '**');
    const made = await send(hub.origin, {
      method: 'POST',
      path: '/api/v1/me/tokens',
      headers: { Authorization: basic(credentials), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'ci', actions: ['pull'], paths: [`${namespace}/web`], expires_in_days: 1 }),
    });
    expectStatus(made, 201);
    const { token } = made.json<{ token: string }>();
    const door = classic(hub, namespace, { username: name, password: token });
    expect(Object.keys((await door.index()).entries)).toEqual(['web']);
    expectStatus(await door.get('/other-1.2.3.tgz'), 404);
    expect((await door.upload((await chart({ version: '2.0.0' })).bytes)).status).toBe(403);
    const bearer = { path: `/charts/${namespace}/web-1.2.3.tgz`, headers: { Authorization: `Bearer ${token}` } };
    expectStatus(await send(hub.origin, bearer), 200);
  });

  it('may be a registry token, for what it was asked for', async () => {
    const { namespace } = await filled('private', ['web', 'other']);
    const token = await hub.admin.tokens.for([`repository:${namespace}/web:pull`]);
    const get = (path: string) =>
      send(hub.origin, { path: `/charts/${namespace}${path}`, headers: { Authorization: `Bearer ${token}` } });
    expectStatus(await get('/web-1.2.3.tgz'), 200);
    expectStatus(await get('/other-1.2.3.tgz'), 404);
    expect(Object.keys((await get('/index.yaml')).json<{ entries: object }>().entries)).toEqual(['web']);
  });
});
