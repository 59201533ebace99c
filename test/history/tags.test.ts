import { describe, expect, it } from 'vitest';
import { newFiles } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, index, send } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { other, projectOf, timeMachine, trail } from './harness.ts';

const hub = await testHub();

describe('the history of a tag', () => {
  it('has every move with who made it, latest first, and says what can be restored', async () => {
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'maintainer' } });
    const repo = writer.client.repo(`${project}/app`);
    const [a, b, c] = [other(), other(), other()];
    for (const content of [a, b, c]) await repo.mustPut(content, 'v1');
    await repo.mustPut(other(), 'elsewhere');
    expectStatus(await repo.deleteManifest('v1'), 202);
    expectStatus(await repo.deleteManifest(b.digest), 202);
    const actor = writer.name;
    const live = (digest: string) => ({ digest, state: 'live' });
    const { history } = timeMachine(hub, repo);
    expect(await history('v1')).toMatchObject([
      { tag: 'v1', before: live(c.digest), actor },
      { tag: 'v1', before: { digest: b.digest, state: 'trash' }, after: live(c.digest), actor },
      { tag: 'v1', before: live(a.digest), after: { digest: b.digest, state: 'trash' }, actor },
      { tag: 'v1', after: live(a.digest), actor },
    ]);
    expect((await history()).map(({ tag }) => tag)).toEqual(['v1', 'elsewhere', 'v1', 'v1', 'v1']);
  });

  it('comes in pages', async () => {
    const repo = await hub.repo();
    for (let at = 0; at < 5; at++) await repo.mustPut(other(), 'v1');
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 3; pages++) {
      const path = `/projects/${projectOf(repo)}/tags/history?repository=${repo.name}&tag=v1&limit=2${cursor}`;
      const body = (await hub.api('GET', path)).json<{ items: { id: string }[]; next_cursor?: string }>();
      seen.push(...body.items.map(({ id }) => id));
      cursor = `&cursor=${body.next_cursor}`;
      if (body.next_cursor === undefined) break;
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toEqual(seen.toSorted((x, y) => Number(y) - Number(x)));
  });

  it('is for those who may pull there, and asked for in its own project', async () => {
    const [stranger, partly, reader] = [await hub.person(), await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [reader.name]: 'reader' } });
    const grant = { subject: partly.name, role: 'owner', path_glob: 'team-a/**' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const repo = hub.admin.repo(`${project}/app`);
    await repo.mustPut(other(), 'v1');
    const ask = async (person: typeof stranger, where: string) => {
      const path = `/api/v1/projects/${where}/tags/history?repository=${repo.name}`;
      return (await send(hub.origin, { path, headers: { Authorization: basic(person.credentials) } })).status;
    };
    expect(await ask(reader, project)).toBe(200);
    expect(await ask(stranger, project)).toBe(404);
    expect(await ask(partly, project), 'who sees other repositories of the project').toBe(404);
    const theirs = await hub.project({ grants: { [reader.name]: 'owner' } });
    expect(await ask(reader, theirs), 'nor through another project').toBe(404);
  });
});

describe('a tag that is restored', () => {
  it('says what it said before, and the history says so', async () => {
    const repo = await hub.repo();
    const [a, b] = [other(), other()];
    await repo.mustPut(a, 'v1');
    await repo.mustPut(b, 'v1');
    const machine = timeMachine(hub, repo);
    const done = expectStatus(await machine.restoreTag('v1', a.digest), 200);
    expect(done.json()).toEqual({ tag: 'v1', digest: a.digest, before: b.digest, moved: true, from_trash: [] });
    expect((await repo.headManifest('v1')).header('Docker-Content-Digest')).toBe(a.digest);
    expect((await machine.history('v1'))[0]).toMatchObject({
      before: { digest: b.digest },
      after: { digest: a.digest },
      actor: 'admin',
    });
    const again = expectStatus(await machine.restoreTag('v1', a.digest), 200).json<{ moved: boolean }>();
    expect(again.moved).toBe(false);
    await expect.poll(() => trail(hub, projectOf(repo), 'tag.restored')).toEqual(['tag.restored']);
  });

  it('brings its index and images out of the trash, bytes and all', async () => {
    const repo = await hub.repo();
    const children = [image(), image()];
    for (const child of children) await repo.mustPushImage(child);
    const parent = index(children.map(({ manifest }) => manifest));
    await repo.mustPut(parent, 'v1');
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    for (const child of children) expectStatus(await repo.deleteManifest(child.manifest.digest), 202);
    const layer = children[0]?.blobs[1]?.digest as string;
    expectStatus(await repo.deleteBlob(layer), 202);
    expect((await repo.getManifest('v1')).status).toBe(404);
    const done = expectStatus(await timeMachine(hub, repo).restoreTag('v1', parent.digest), 200);
    expect(done.json<{ from_trash: string[] }>().from_trash.toSorted()).toEqual(
      [parent, ...children.map(({ manifest }) => manifest)].map(({ digest }) => digest).toSorted(),
    );
    await repo.mustPull('v1');
    expect((await repo.deleteManifest(children[0]?.manifest.digest as string)).status, 'is listed again').toBe(405);
    expect((await repo.deleteBlob(layer)).status, 'is needed again').toBe(405);
  });

  it('has said that before: anything else is not found', async () => {
    const repo = await hub.repo();
    const [a, b] = [other(), other()];
    await repo.mustPut(a, 'v1');
    await repo.mustPut(b, 'v2');
    const machine = timeMachine(hub, repo);
    expect((await machine.restoreTag('v1', b.digest)).status).toBe(404);
    expect((await machine.restoreTag('v3', a.digest)).status).toBe(404);
    expect((await machine.restoreTag('v1', 'latest')).status).toBe(400);
  });

  it('is moved under the rights and rules of a push', async () => {
    const [creator, reader] = [await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [reader.name]: 'reader' } });
    const grant = { subject: creator.name, role: 'writer', create_only: true };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const repo = hub.admin.repo(`${project}/app`);
    const [a, b] = [other(), other()];
    await repo.mustPut(a, 'v1');
    await repo.mustPut(b, 'v1');
    const restore = (person: typeof creator) =>
      send(hub.origin, {
        method: 'POST',
        path: `/api/v1/projects/${project}/restore`,
        headers: { Authorization: basic(person.credentials), 'Content-Type': 'application/json' },
        body: JSON.stringify({ repository: repo.name, tag: 'v1', digest: a.digest }),
      });
    expect((await restore(reader)).status).toBe(403);
    expect((await restore(creator)).status, 'may not overwrite').toBe(403);
    expectStatus(await repo.deleteManifest('v1'), 202);
    expect((await restore(creator)).status, 'may create').toBe(200);
    expectStatus(await hub.api('POST', `/projects/${project}/immutability`, {}), 201);
    const refused = await timeMachine(hub, repo).restoreTag('v1', b.digest);
    expect([refused.status, refused.json<{ type: string }>().type]).toEqual([409, 'urn:berth:problem:tag-immutable']);
  });

  it('of a chart is listed again', async () => {
    const project = await hub.project();
    const charts = classic(hub, project);
    const [first, second] = [await chart(), await chart({ files: { 'README.md': 'second' } })];
    expectStatus(await charts.upload(first.bytes), 201);
    const repo = hub.admin.repo(`${project}/web`);
    const digest = (await repo.headManifest('1.2.3')).header('Docker-Content-Digest') as string;
    expectStatus(await charts.upload(second.bytes, '?force'), 201);
    const listed = async () => (await charts.index()).entries['web']?.map((entry) => entry.digest);
    expect(await listed()).toEqual([second.sha256]);
    expectStatus(await timeMachine(hub, repo).restoreTag('1.2.3', digest), 200);
    expect(await listed()).toEqual([first.sha256]);
    expectStatus(await charts.request('DELETE', '/api/charts/web/1.2.3'), 200);
    expect(await listed()).toBeUndefined();
    expectStatus(await timeMachine(hub, repo).restoreTag('1.2.3', digest), 200);
    expect(await listed()).toEqual([first.sha256]);
  });

  it('of files keeps in the history what they were just before', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    const digest = (await repo.headManifest('1.0')).header('Docker-Content-Digest') as string;
    expect((await files.put('1.0', 'a', 'two')).status).toBeLessThan(300);
    const machine = timeMachine(hub, repo);
    const done = expectStatus(await machine.restoreTag('1.0', digest), 200).json<{ before: string }>();
    expect((await files.get('1.0', 'a')).body.toString()).toBe('one');
    expectStatus(await machine.restoreTag('1.0', done.before), 200);
    expect((await files.get('1.0', 'a')).body.toString()).toBe('two');
  });
});
