/** A project gets another name: every door reads by the old one, none writes by it, and nobody else gets it. */
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  basic,
  blob,
  expectStatus,
  image,
  send,
  unique,
  type Answer,
  type Credentials,
} from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';
import { filesClient } from '../files/harness.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';

const hub = await testHub();

function rename(project: string, name: string, more: Record<string, unknown> = {}) {
  return hub.api('POST', `/projects/${project}/rename`, { name, ...more });
}

/** An image, files and a chart in a project, which is renamed then. */
async function renamed(options: Parameters<typeof hub.project>[0] = {}) {
  const [old, now] = [await hub.project(options), unique('now')];
  const pushed = image();
  await hub.admin.repo(`${old}/app`).mustPushImage(pushed, 'v1');
  const packed = await chart();
  expectStatus(await classic(hub, `${old}/charts`).upload(packed.bytes), 201);
  expectStatus(await filesClient(hub, `${old}/tools`).put('1.0.0', 'x.txt', 'hello'), 201);
  // In the memory of the process under the old name, too.
  await classic(hub, `${old}/charts`).index();
  expectStatus(await rename(old, now), 200);
  return { old, now, pushed, packed };
}

describe('by the old name', () => {
  it('images are pulled, and referred to, with a token for the old name', async () => {
    const { old, now, pushed } = await renamed();
    for (const name of [old, now]) {
      const repo = hub.admin.repo(`${name}/app`);
      await repo.mustPull('v1');
      expectStatus(await repo.headManifest('v1'), 200);
      expectStatus(await repo.headBlob(pushed.blobs[0]!.digest), 200);
      const tags = expectStatus(await repo.request('GET', '/tags/list'), 200).json<object>();
      expect(tags).toEqual({ name: `${name}/app`, tags: ['v1'] });
      expectStatus(await repo.request('GET', `/referrers/${pushed.manifest.digest}`), 200);
    }
  });

  it('files are read, listed and shared', async () => {
    const { old, now } = await renamed();
    for (const name of [old, now]) {
      const files = filesClient(hub, `${name}/tools`);
      expect(expectStatus(await files.get('1.0.0', 'x.txt'), 200).body.toString()).toBe('hello');
      expectStatus(await files.ask('GET', files.at('1.0.0')), 200);
      expectStatus(await files.ask('GET', files.at('latest', 'x.txt')), 200);
    }
  });

  it('a link to a file goes on, whenever it was made', async () => {
    const old = await hub.project();
    expectStatus(await filesClient(hub, `${old}/tools`).put('1.0', 'x.txt', 'hello'), 201);
    const share = (project: string) =>
      hub.api('POST', `/projects/${project}/shares`, { repository: `${project}/tools`, version: '1.0', path: 'x.txt' });
    const before = expectStatus(await share(old), 201).json<{ url: string }>();
    const now = unique('now');
    expectStatus(await rename(old, now), 200);
    const after = expectStatus(await share(now), 201).json<{ url: string }>();
    for (const { url } of [before, after]) {
      for (const name of [old, now]) {
        const { pathname, search } = new URL(url);
        const path = pathname.replace(/^\/files\/[^/]+/, `/files/${name}`) + search;
        expect(expectStatus(await send(hub.origin, { path }), 200).body.toString()).toBe('hello');
      }
    }
    const elsewhere = await hub.project();
    expectStatus(await filesClient(hub, `${elsewhere}/tools`).put('1.0', 'x.txt', 'other'), 201);
    const { search } = new URL(before.url);
    expectStatus(await send(hub.origin, { path: `/files/${elsewhere}/tools:1.0/x.txt${search}` }), 404);
  });

  it('index.yaml lists archives that are there, by both names, with the context of the new one', async () => {
    const { old, now, packed } = await renamed();
    for (const name of [old, now]) {
      const door = classic(hub, `${name}/charts`);
      const index = await door.index();
      expect(index.serverInfo.contextPath).toBe(`/charts/${now}/charts`);
      const [entry] = index.entries['web']!;
      expect(expectStatus(await door.get(`/${entry!.urls[0]}`), 200).body).toEqual(packed.bytes);
      for (const rest of ['/api/charts', '/api/charts/web', '/api/charts/web/1.2.3', '/api/charts/web/1.2.3/values'])
        expectStatus(await door.get(rest), 200);
      await hub.admin.repo(`${name}/charts/web`).mustPull('1.2.3');
    }
  });

  it('the API shows the project, by its new name', async () => {
    const { old, now } = await renamed();
    expect(expectStatus(await hub.api('GET', `/projects/${old}`), 200).json<{ name: string }>().name).toBe(now);
    const listed = expectStatus(await hub.api('GET', `/projects/${old}/repositories`), 200).json<{
      items: { path: string }[];
    }>();
    expect(listed.items.map(({ path }) => path)).toEqual([`${now}/app`, `${now}/charts/web`, `${now}/tools`]);
    const charts = expectStatus(await hub.api('GET', `/projects/${old}/charts`), 200).json<{ items: object[] }>();
    expect(charts.items).toMatchObject([{ path: `${now}/charts/web`, namespace: `${now}/charts` }]);
    expectStatus(await hub.api('GET', `/projects/${old}/charts/charts%2Fweb/versions/1.2.3`), 200);
  });

  it('blobs are mounted from there', async () => {
    const { old, pushed } = await renamed();
    const target = hub.admin.repo(`${await hub.project()}/copy`);
    expectStatus(await target.mount(pushed.blobs[0]!.digest, `${old}/app`), 201);
  });

  it('nothing is pushed, deleted or uploaded, and who may see it is told the new name', async () => {
    const { old, now, pushed, packed } = await renamed();
    const repo = hub.admin.repo(`${old}/app`);
    const told = (answer: Answer) =>
      expect(expectError(answer, 403, 'DENIED')[0]!.message).toContain(`${old}/app is called ${now}/app now`);
    told(await repo.post());
    told(await repo.putManifest(image().manifest, 'v2'));
    told(await repo.deleteManifest('v1'));
    told(await repo.deleteBlob(pushed.blobs[0]!.digest));
    told(await repo.mount(pushed.blobs[0]!.digest, `${now}/app`));
    expectError(await hub.admin.repo(`${old}/new`).post(), 403, 'DENIED');
    const files = filesClient(hub, `${old}/tools`);
    for (const answer of [
      await files.put('1.1', 'y.txt', 'y'),
      await files.ask('DELETE', files.at('1.0.0', 'x.txt')),
    ]) {
      expect(expectStatus(answer, 403).body.toString()).toContain(`${old}/tools is called ${now}/tools now`);
    }
    const door = classic(hub, `${old}/charts`);
    const more = await chart({ version: '2.0.0' });
    expect(expectStatus(await door.upload(more.bytes), 403).body.toString()).toContain(`is called ${now}`);
    expectStatus(await door.request('DELETE', `/api/charts/${packed.name}/${packed.version}`), 403);
    const change = await hub.api('PATCH', `/projects/${old}`, { visibility: 'public' });
    expect(expectStatus(change, 403).json()).toMatchObject({ type: 'urn:berth:problem:renamed' });
    expectStatus(await hub.api('PUT', `/projects/${old}/grants`, { subject: 'everyone', role: 'reader' }), 403);
    expectStatus(
      await hub.api('PUT', `/projects/${old}/charts/charts%2Fweb/versions/1.2.3/yank`, { reason: 'x' }),
      403,
    );
    // And all of it is as it was.
    await hub.admin.repo(`${now}/app`).mustPull('v1');
    expect(Object.keys((await classic(hub, `${now}/charts`).index()).entries)).toEqual(['web']);
  });
});

describe('rights', () => {
  it('are those on the new name: of grants, of tokens that are limited to paths, of visibility', async () => {
    const [reader, writer] = [await hub.person(), await hub.person()];
    const { old, now } = await renamed({ grants: { [reader.name]: 'reader', [writer.name]: 'writer' } });
    await reader.client.repo(`${old}/app`).mustPull('v1');
    const [told] = expectError(await reader.client.repo(`${old}/app`).post(), 403, 'DENIED');
    expect(told!.message).toContain(`${now}/app`);
    const limited = async (paths: string[]): Promise<Credentials> => {
      const made = await send(hub.origin, {
        method: 'POST',
        path: '/api/v1/me/tokens',
        headers: { Authorization: basic(writer.credentials), 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 't', actions: ['pull', 'push'], paths }),
      });
      return { username: writer.name, password: expectStatus(made, 201).json<{ token: string }>().token };
    };
    const [toOld, toNew] = [await limited([`${old}/**`]), await limited([`${now}/**`])];
    expectStatus(await hub.client(toNew, 'basic').repo(`${old}/app`).getManifest('v1'), 200);
    expectError(await hub.client(toOld, 'basic').repo(`${old}/app`).getManifest('v1'), 404, 'NAME_UNKNOWN');
    const [untold] = expectError(await hub.client(toOld, 'basic').repo(`${old}/app`).post(), 403, 'DENIED');
    expect(untold!.message).not.toContain(now);
    expectStatus(await hub.api('PATCH', `/projects/${now}`, { visibility: 'public' }), 200);
    expectStatus(await hub.anonymous.repo(`${old}/app`).getManifest('v1'), 200);
  });

  it('are needed as on any private name by strangers, who are told nothing', async () => {
    const stranger = await hub.person();
    const { old, now } = await renamed();
    const answers = [
      await stranger.client.repo(`${old}/app`).getManifest('v1'),
      await stranger.client.repo(`${old}/app`).post(),
      await filesClient(hub, `${old}/tools`, stranger.credentials).get('1.0.0', 'x.txt'),
      await filesClient(hub, `${old}/tools`, stranger.credentials).put('1.0.0', 'x.txt', 'x'),
      await classic(hub, `${old}/charts`, stranger.credentials).get('/index.yaml'),
      await classic(hub, `${old}/charts`, stranger.credentials).upload((await chart()).bytes),
      await send(hub.origin, {
        path: `/api/v1/projects/${old}`,
        headers: { Authorization: basic(stranger.credentials) },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 403, 404, 403, 404, 404, 404]);
    for (const { body, headers } of answers) {
      expect(body.toString() + JSON.stringify(headers)).not.toContain(now);
    }
  });
});

describe('the old name', () => {
  it('is nobody else’s to take, by the API or by a push, until it is released', async () => {
    const owner = await hub.person();
    const { old, now } = await renamed({ grants: { [owner.name]: 'owner' } });
    expectStatus(await hub.api('POST', '/projects', { name: old }), 409);
    expectError(await (await hub.person()).client.repo(`${old}/mine`).post(), 403, 'DENIED');
    expectStatus(await rename(await hub.project(), old), 409);
    const aliases = async () =>
      expectStatus(await hub.api('GET', `/projects/${now}/aliases`), 200).json<{ items: object[] }>().items;
    expect(await aliases()).toMatchObject([{ alias: old, name: now }]);
    expectStatus(await hub.api('DELETE', `/projects/${now}/aliases/${old}`), 204);
    expectStatus(await hub.api('DELETE', `/projects/${now}/aliases/${old}`), 404);
    expect(await aliases()).toEqual([]);
    expectError(await owner.client.repo(`${old}/app`).getManifest('v1'), 404, 'NAME_UNKNOWN');
    // Whoever takes it now has a project with paths of its own, of the same names.
    const next = await hub.person();
    const pushed = image();
    await next.client.repo(`${old}/app`).mustPushImage(pushed, 'v1');
    expect(await next.client.repo(`${old}/app`).mustPull('v1')).toEqual(pushed.manifest.bytes);
    expect(await owner.client.repo(`${now}/app`).mustPull('v1')).not.toEqual(pushed.manifest.bytes);
    expectError(await next.client.repo(`${now}/app`).getManifest('v1'), 404, 'NAME_UNKNOWN');
    expectStatus(await classic(hub, `${old}/charts`, next.credentials).upload((await chart()).bytes), 201);
    expect((await classic(hub, `${old}/charts`, next.credentials).index()).entries).toHaveProperty('web');
  });

  it('is taken back by the project itself, and the one between is kept', async () => {
    const { old, now } = await renamed();
    expectStatus(await rename(now, old), 200);
    for (const name of [old, now]) await hub.admin.repo(`${name}/app`).mustPull('v1');
    await hub.admin.repo(`${old}/app`).mustPushImage(image(), 'v2');
    expectError(await hub.admin.repo(`${now}/app`).post(), 403, 'DENIED');
    // Former names in a row all lead to the latest.
    const third = unique('third');
    expectStatus(await rename(old, third), 200);
    for (const name of [old, now, third]) await hub.admin.repo(`${name}/app`).mustPull('v2');
  });

  it('goes with the project', async () => {
    const [old, now] = [await hub.project(), unique('now')];
    expectStatus(await rename(old, now), 200);
    expectStatus(await hub.api('DELETE', `/projects/${now}`), 204);
    expectStatus(await hub.api('POST', '/projects', { name: old }), 201);
  });
});

describe('the new name', () => {
  it('has to be one that a project can have, and free', async () => {
    const [project, other] = [await hub.project(), await hub.project()];
    for (const name of ['api', 'a.b', 'A', 'a/b', 'x'.repeat(65)]) expectStatus(await rename(project, name), 400);
    expectStatus(await rename(project, other), 409);
    expectStatus(await rename(project, project), 200);
    const long = `${'y'.repeat(60)}/${'y'.repeat(60)}/${'y'.repeat(60)}/${'y'.repeat(40)}`;
    await hub.admin.repo(`${project}/${long}`).mustPush(blob());
    expectStatus(await rename(project, 'z'.repeat(40)), 400);
    expectStatus(await rename(project, unique('q')), 200);
  });

  it('is an owner’s to give, within the limits of the token', async () => {
    const [maintainer, owner] = [await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [maintainer.name]: 'maintainer', [owner.name]: 'owner' } });
    const ask = async (who: Credentials, name: string) =>
      (
        await send(hub.origin, {
          method: 'POST',
          path: `/api/v1/projects/${project}/rename`,
          headers: { Authorization: basic(who), 'Content-Type': 'application/json' },
          body: JSON.stringify({ name }),
        })
      ).status;
    expect(await ask(maintainer.credentials, unique('n'))).toBe(403);
    expect(await ask((await hub.person()).credentials, unique('n'))).toBe(404);
    const made = await send(hub.origin, {
      method: 'POST',
      path: '/api/v1/me/tokens',
      headers: { Authorization: basic(owner.credentials), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 't', actions: ['admin', 'pull'], paths: [`${project}/**`] }),
    });
    const { token } = expectStatus(made, 201).json<{ token: string }>();
    expect(await ask({ username: owner.name, password: token }, unique('n'))).toBe(403);
    expect(await ask(owner.credentials, unique('n'))).toBe(200);
  });
});
