import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, send, type Answer } from '../harness/oci-client.ts';
import { filesClient, newFiles, type FilesClient } from './harness.ts';

const hub = await testHub();
const [reader, writer, maintainer, nobody] = [
  await hub.person(),
  await hub.person(),
  await hub.person(),
  await hub.person(),
];
const grants = { [reader.name]: 'reader', [writer.name]: 'writer', [maintainer.name]: 'maintainer' } as const;
const project = await hub.project({ grants });
const admin = filesClient(hub, `${project}/tools`);
await admin.put('1', 'a', 'A');
const as = ({ credentials }: { credentials: { username: string; password: string } }) =>
  filesClient(hub, admin.repository, credentials);
const anonymous = (repository = admin.repository): FilesClient => ({
  ...filesClient(hub, repository),
  ask: (method, path, more = {}) => send(hub.origin, { ...more, method, path }),
});

/** Everything but what differs between any two answers. */
function bare({ status, headers, body }: Answer) {
  const { 'x-request-id': _id, date: _date, ...rest } = headers;
  return { status, rest, body: body.toString() };
}

const reads: [string, string][] = [
  ['GET', '/a'],
  ['HEAD', '/a'],
  ['GET', '/'],
  ['GET', ''],
  ['GET', '/?archive=tar'],
  ['GET', '/SHA256SUMS'],
];
const writes: [string, string][] = [
  ['PUT', '/b'],
  ['POST', '/'],
  ['POST', '/?finalise'],
  ['PATCH', '/'],
  ['DELETE', '/a'],
  ['DELETE', '/'],
];

describe('who presents nothing', () => {
  it.each([...reads, ...writes])('is asked for Basic, here and where nothing is: %s %s', async (method, rest) => {
    const here = await anonymous().ask(method, `/files/${admin.repository}:1${rest}`);
    const nowhere = await anonymous().ask(method, `/files/no/such:1${rest}`);
    expect(here.status).toBe(401);
    expect(here.header('WWW-Authenticate')).toBe('Basic realm="Berth", charset="UTF-8"');
    expect(bare(here)).toEqual(bare(nowhere));
  });

  it('reads from a public project, and writes nothing', async () => {
    const open = await newFiles(hub, { visibility: 'public' });
    await open.put('1', 'a', 'A');
    const stranger = anonymous(open.repository);
    expectStatus(await stranger.ask('GET', open.at('1', 'a')), 200);
    expectStatus(await stranger.ask('GET', open.at('latest', 'a')), 404);
    for (const [method, rest] of writes) {
      expectStatus(await stranger.ask(method, `/files/${open.repository}:1${rest}`), 401);
    }
    expectStatus(await stranger.ask('HEAD', `${open.at('1', 'a')}?partial`), 401);
  });
});

describe('who has no right', () => {
  it.each(reads)('learns nothing: %s %s', async (method, rest) => {
    const here = await as(nobody).ask(method, `/files/${admin.repository}:1${rest}`);
    expect(here.status).toBe(404);
    expect(bare(here)).toEqual(bare(await as(nobody).ask(method, `/files/no/such:1${rest}`)));
    expect(bare(here)).toEqual(bare(await as(nobody).ask(method, `/files/${project}/none:9${rest}`)));
  });

  it.each(writes)('changes nothing: %s %s', async (method, rest) => {
    expectStatus(await as(nobody).ask(method, `/files/${admin.repository}:1${rest}`), 403);
  });
});

describe('roles', () => {
  it('a reader reads', async () => {
    expectStatus(await as(reader).get('1', 'a'), 200);
    for (const [method, rest] of writes) {
      expectStatus(await as(reader).ask(method, `/files/${admin.repository}:1${rest}`), 403);
    }
  });

  it('a writer writes, and deletes nothing', async () => {
    expectStatus(await as(writer).put('w', 'a', 'A'), 201);
    expectStatus(await as(writer).put('w', 'a', 'B'), 200);
    expectStatus(await as(writer).ask('DELETE', admin.at('w', 'a')), 403);
    expectStatus(await as(writer).ask('DELETE', admin.at('w')), 403);
  });

  it('a maintainer deletes', async () => {
    await admin.put('m', 'a', 'A');
    expectStatus(await as(maintainer).ask('DELETE', admin.at('m', 'a')), 204);
  });

  it('create_only adds files and versions, and never replaces or removes one', async () => {
    const robot = await hub.person();
    const grant = { subject: robot.name, role: 'maintainer', create_only: true };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const its = as(robot);
    expectStatus(await its.put('c', 'a', 'A'), 201);
    expectStatus(await its.put('c', 'b', 'B'), 201);
    expectStatus(await its.put('c', 'a', 'A'), 200);
    expectStatus(await its.put('c', 'a', 'other'), 403);
    expectStatus(await its.ask('DELETE', its.at('c', 'a')), 403);
    expectStatus(await its.ask('DELETE', its.at('c')), 403);
    expectStatus(await its.ask('POST', `${its.at('c')}?finalise`), 200);
    expect((await its.get('c', 'a')).body.toString()).toBe('A');
  });

  it('a tag glob limits which versions', async () => {
    const robot = await hub.person();
    const grant = { subject: robot.name, role: 'maintainer', tag_glob: 'v*' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const its = as(robot);
    expectStatus(await its.put('v1', 'a', 'A'), 201);
    expectStatus(await its.put('1', 'mine', 'A'), 403);
    expectStatus(await its.put('other', 'a', 'A'), 403);
    expectStatus(await its.ask('DELETE', its.at('1', 'a')), 403);
    expectStatus(await its.get('1', 'a'), 200);
    expectStatus(await its.ask('DELETE', its.at('v1')), 204);
  });

  it('end with the next request', async () => {
    const jane = await hub.person();
    const own = await hub.project({ grants: { [jane.name]: 'writer' } });
    const hers = filesClient(hub, `${own}/x`, jane.credentials);
    expectStatus(await hers.put('1', 'a', 'A'), 201);
    const { items } = (await hub.api('GET', `/projects/${own}/grants`)).json<{
      items: { id: string; subject: string }[];
    }>();
    const id = items.find(({ subject }) => subject === jane.name)?.id;
    expectStatus(await hub.api('DELETE', `/projects/${own}/grants/${id}`), 204);
    expectStatus(await hers.put('1', 'b', 'B'), 403);
    expectStatus(await hers.get('1', 'a'), 404);
  });
});

describe('credentials', () => {
  it('that are wrong are 401, also for what is public', async () => {
    const open = await newFiles(hub, { visibility: 'public' });
    await open.put('1', 'a', 'A');
    const wrong = { Authorization: basic({ username: 'admin', password: 'wrong' }) };
    const answer = await send(hub.origin, { path: open.at('1', 'a'), headers: wrong });
    expect([answer.status, answer.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="Berth", charset="UTF-8"']);
  });

  it('are looked at before the body is asked for', async () => {
    for (const client of [anonymous(), as(nobody), as(reader)]) {
      const put = await client.ask('PUT', admin.at('1', 'b'), {
        body: Buffer.alloc(3_000_000),
        headers: { Expect: '100-continue' },
      });
      expect([401, 403]).toContain(put.status);
      expect(put.continued).toBe(false);
    }
  });

  it('and the refusal reaches who is still sending', async () => {
    const put = await as(reader).put('1', 'b', Buffer.alloc(8_000_000));
    expect(put.status).toBe(403);
  });

  it('may be a registry token, for what it was asked for', async () => {
    const scope = `repository:${admin.repository}:pull`;
    const { token } = (await writer.client.tokens.ask([scope])).json<{ token: string }>();
    const bearer = (method: string, path: string) =>
      send(hub.origin, { method, path, headers: { Authorization: `Bearer ${token}` }, body: 'x' });
    expectStatus(await bearer('GET', admin.at('1', 'a')), 200);
    expectStatus(await bearer('PUT', admin.at('1', 'z')), 401);
    expectStatus(await bearer('GET', `/files/${project}/none:1/a`), 401);
  });

  it('may be a personal token, narrowed to what it says', async () => {
    const api = (body: object) =>
      send(hub.origin, {
        method: 'POST',
        path: '/api/v1/me/tokens',
        headers: { Authorization: basic(writer.credentials), 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const { token } = (await api({ name: 'ci', actions: ['pull'] })).json<{ token: string }>();
    const bearer = (method: string, path: string, body = '') =>
      send(hub.origin, { method, path, headers: { Authorization: `Bearer ${token}` }, body });
    expectStatus(await bearer('GET', admin.at('1', 'a')), 200);
    expectStatus(await bearer('PUT', admin.at('1', 'z'), 'Z'), 403);
  });
});

it('what would be one repository to the router and another to the guard is none', async () => {
  const open = await newFiles(hub, { visibility: 'public' });
  await open.put('1', 'a', 'A');
  const [owner = '', rest = ''] = open
    .at('1', 'a')
    .slice('/files/'.length)
    .split(/\/(.*)/);
  expectStatus(await send(hub.origin, { path: `/files/${owner}/${rest}` }), 200);
  for (const path of [
    `http://${owner}/files/${rest}`,
    `http://files/files/${owner}/${rest}`,
    `/files/${owner}/${rest}#b`,
  ]) {
    const answer = expectStatus(await send(hub.origin, { path, headers: { Accept: 'application/json' } }), 400);
    expect(answer.json()).toMatchObject({ type: expect.stringContaining('path-invalid') });
  }
});
