import { describe, expect, it } from 'vitest';
import { deleteRest } from '../../src/registry/history/delete-repository.ts';
import { forgetRepositories } from '../../src/registry/history/forget.ts';
import { newFiles } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { artifact, basic, expectStatus, image, index, manifest, send, type Repo } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { other, projectOf, timeMachine, trail } from './harness.ts';

const hub = await testHub({ config: { gc: { undo: 3_600 } } });

async function deleted(repo: Repo, tag = 'v1') {
  const content = image();
  await repo.mustPushImage(content, tag);
  expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
  return content;
}

describe('the trash', () => {
  it('lists what was deleted, by whom, why, and until when it can be restored', async () => {
    const repo = await hub.repo();
    const content = await deleted(repo);
    const [entry, ...others] = await timeMachine(hub, repo).trash();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      repository: repo.name,
      digest: content.manifest.digest,
      kind: 'image',
      size: content.manifest.size,
      tags: ['v1'],
      reason: 'request',
      deleted_by: 'admin',
    });
    const [at, until] = ['deleted_at', 'restorable_until'].map((name) => Date.parse(entry?.[name] as string));
    expect((until as number) - (at as number)).toBe(3_600_000);
  });

  it('shows the latest first, in pages, to those who may delete', async () => {
    const [reader, maintainer] = [await hub.person(), await hub.person()];
    const project = await hub.project({
      visibility: 'public',
      grants: { [reader.name]: 'writer', [maintainer.name]: 'maintainer' },
    });
    const contents = [];
    for (const name of ['a', 'b', 'a']) contents.push(await deleted(hub.admin.repo(`${project}/${name}`)));
    const ask = (authorization: string | undefined, cursor = '') =>
      send(hub.origin, {
        method: 'GET',
        path: `/api/v1/projects/${project}/trash?limit=2${cursor}`,
        headers: authorization === undefined ? {} : { Authorization: authorization },
      });
    interface Page {
      items: { digest: string }[];
      next_cursor: string;
    }
    const first = (await ask(basic(maintainer.credentials))).json<Page>();
    const second = (await ask(basic(maintainer.credentials), `&cursor=${first.next_cursor}`)).json<Page>();
    expect([...first.items, ...second.items].map(({ digest }) => digest)).toEqual(
      contents.map((each) => each.manifest.digest).toReversed(),
    );
    for (const who of [undefined, basic(reader.credentials)]) expect((await ask(who)).json<Page>().items).toEqual([]);
  });

  it('gives back bytes and tags', async () => {
    const repo = await hub.repo();
    const content = image();
    await repo.mustPushImage(content, 'v1');
    await repo.mustPut(content.manifest, 'v2');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    const machine = timeMachine(hub, repo);
    const done = expectStatus(await machine.restore({ digests: [content.manifest.digest] }), 200);
    expect(done.json()).toEqual({
      manifests: [{ digest: content.manifest.digest, kind: 'image', tags: ['v1', 'v2'] }],
      withheld: [],
      more: false,
    });
    for (const tag of ['v1', 'v2']) await repo.mustPull(tag);
    expect(await machine.trash()).toEqual([]);
    await expect.poll(() => trail(hub, projectOf(repo), 'manifest.restored')).toEqual(['manifest.restored']);
  });

  it('gives back the manifest alone when that is wanted', async () => {
    const repo = await hub.repo();
    const content = await deleted(repo);
    expectStatus(await timeMachine(hub, repo).restore({ digests: [content.manifest.digest], tags: false }), 200);
    await repo.mustPull(content.manifest.digest);
    expect((await repo.getManifest('v1')).status).toBe(404);
  });

  it('leaves tags alone that say something else by now, and says so', async () => {
    const repo = await hub.repo();
    const content = await deleted(repo);
    const next = other();
    await repo.mustPut(next, 'v1');
    const done = expectStatus(await timeMachine(hub, repo).restore({ digests: [content.manifest.digest] }), 200);
    expect(done.json<{ withheld: unknown[] }>().withheld).toEqual([
      { tag: 'v1', why: expect.stringContaining('points at something else') as string },
    ]);
    expect((await repo.headManifest('v1')).header('Docker-Content-Digest')).toBe(next.digest);
    await repo.mustPull(content.manifest.digest);
  });

  it('gives an immutable tag back only to what it was last', async () => {
    const repo = await hub.repo();
    const [first, second] = [await deleted(repo), await deleted(repo)];
    expectStatus(await hub.api('POST', `/projects/${projectOf(repo)}/immutability`, {}), 201);
    const machine = timeMachine(hub, repo);
    const refused = expectStatus(await machine.restore({ digests: [first.manifest.digest] }), 200);
    expect(refused.json<{ withheld: { why: string }[] }>().withheld[0]?.why).toContain('is immutable');
    expectStatus(await machine.restore({ digests: [second.manifest.digest] }), 200);
    expect((await repo.headManifest('v1')).header('Docker-Content-Digest')).toBe(second.manifest.digest);
  });

  it('gives back what refers to a manifest with it', async () => {
    const repo = await hub.repo();
    const content = image();
    await repo.mustPushImage(content, 'v1');
    const [signature, old] = [artifact({ subject: content.manifest }), artifact()];
    await repo.mustPushImage(signature);
    await repo.mustPushImage(old, `${content.manifest.digest.replace(':', '-')}.sig`);
    const ofSignature = artifact({ subject: signature.manifest });
    await repo.mustPushImage(ofSignature);
    const all = [content, signature, old, ofSignature].map((each) => each.manifest.digest);
    for (const digest of all) expectStatus(await repo.deleteManifest(digest), 202);
    const done = await timeMachine(hub, repo).restore({ digests: [content.manifest.digest], referrers: true });
    const { manifests } = expectStatus(done, 200).json<{ manifests: { digest: string }[] }>();
    expect(manifests.map(({ digest }) => digest).toSorted()).toEqual(all.toSorted());
    expect(await repo.mustReferrers(content.manifest.digest)).toHaveLength(1);
    await repo.mustPull(`${content.manifest.digest.replace(':', '-')}.sig`);
  });

  it('gives back nothing that would not be whole', async () => {
    const project = await hub.project({ allowSparse: true });
    const repo = hub.admin.repo(`${project}/app`);
    const parent = index([other()]);
    await repo.mustPut(parent, 'v1');
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    const machine = timeMachine(hub, repo);
    expectStatus(await hub.api('PATCH', `/projects/${project}`, { allow_sparse: false }), 200);
    const refused = await machine.restore({ digests: [parent.digest] });
    expect([refused.status, refused.json<{ detail: string }>().detail]).toEqual([
      409,
      expect.stringContaining('gone for good'),
    ]);
    expectStatus(await hub.api('PATCH', `/projects/${project}`, { allow_sparse: true }), 200);
    expectStatus(await machine.restore({ digests: [parent.digest] }), 200);
  });

  it('has charts and files as well', async () => {
    const project = await hub.project();
    const charts = classic(hub, project);
    const packed = await chart();
    expectStatus(await charts.upload(packed.bytes), 201);
    expectStatus(await charts.request('DELETE', '/api/charts/web/1.2.3'), 200);
    expectStatus(await timeMachine(hub, hub.admin.repo(`${project}/web`)).restore({}), 200);
    expect((await charts.index()).entries['web']?.map(({ digest }) => digest)).toEqual([packed.sha256]);
    const files = await newFiles(hub);
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    const repo = hub.admin.repo(files.repository);
    const digest = (await repo.headManifest('1.0')).header('Docker-Content-Digest') as string;
    expectStatus(await repo.deleteManifest(digest), 202);
    expectStatus(await timeMachine(hub, repo).restore({ digests: [digest] }), 200);
    expect((await files.get('1.0', 'a')).body.toString()).toBe('one');
  });

  it('is asked for what it has, by who may delete', async () => {
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'writer' } });
    const repo = hub.admin.repo(`${project}/app`);
    const content = await deleted(repo);
    const machine = timeMachine(hub, repo);
    expect((await machine.restore({ digests: [other().digest] })).status).toBe(404);
    const { digest } = content.manifest;
    for (const [path, body] of [
      ['/trash/restore', { digests: [digest] }],
      ['/restore', { tag: 'v1', digest }],
    ] as const) {
      const answer = await send(hub.origin, {
        method: 'POST',
        path: `/api/v1/projects/${project}${path}`,
        headers: { Authorization: basic(writer.credentials), 'Content-Type': 'application/json' },
        body: JSON.stringify({ repository: repo.name, ...body }),
      });
      expect(answer.status, path).toBe(403);
    }
    expect((await repo.getManifest(digest)).status).toBe(404);
  });
});

describe('a purge', () => {
  it('removes for good, counts what is freed, and is audited', async () => {
    const repo = await hub.repo();
    const content = await deleted(repo);
    const machine = timeMachine(hub, repo);
    const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
    const done = expectStatus(await machine.purge({ digests: [content.manifest.digest] }), 200);
    const [freed, leased] = [
      { blobs: 0, bytes: 0 },
      { blobs: content.blobs.length, bytes },
    ];
    expect(done.json()).toEqual({ manifests: 1, freed, leased, kept: [], more: false });
    expect(await machine.trash()).toEqual([]);
    expect((await machine.restore({ digests: [content.manifest.digest] })).status).toBe(404);
    expect((await machine.restoreTag('v1', content.manifest.digest)).status).toBe(404);
    expect((await machine.history('v1'))[0]?.before?.state).toBe('gone');
    expect((await repo.headBlob(content.blobs[0]?.digest as string)).status, 'the lease holds').toBe(200);
    await expect.poll(() => trail(hub, projectOf(repo), 'trash.purged')).toEqual(['trash.purged']);
  });

  it('breaks leases only when told to, and never of what is needed', async () => {
    const repo = await hub.repo();
    const content = image();
    await repo.mustPushImage(content);
    const shared = content.blobs[1];
    const keeps = image();
    const document = JSON.parse(keeps.manifest.bytes.toString()) as { layers: object[] };
    document.layers.push({ mediaType: 'application/octet-stream', digest: shared?.digest, size: shared?.size });
    for (const one of keeps.blobs) await repo.mustPush(one);
    await repo.mustPut(manifest(document), 'keeps');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    const done = expectStatus(await timeMachine(hub, repo).purge({ break_leases: true }), 200);
    expect(done.json<{ freed: { blobs: number } }>().freed.blobs).toBe(content.blobs.length - 1);
    expect((await repo.headBlob(content.blobs[0]?.digest as string)).status).toBe(404);
    await repo.mustPull('keeps');
  });

  it('frees at once what no lease keeps', async () => {
    const repo = await hub.repo();
    const content = await deleted(repo);
    await hub.db.pool.query(`update repository_blobs set leased_until = now() where leased_until > now()`);
    const done = expectStatus(await timeMachine(hub, repo).purge(), 200);
    expect(done.json()).toMatchObject({ freed: { blobs: content.blobs.length }, leased: { blobs: 0 } });
    for (const one of content.blobs) expect((await repo.headBlob(one.digest)).status).toBe(404);
  });

  it('never takes what is live, or what something in the trash lists', async () => {
    const repo = await hub.repo();
    const child = image();
    await repo.mustPushImage(child);
    const parent = index([child.manifest]);
    await repo.mustPut(parent);
    for (const digest of [parent.digest, child.manifest.digest]) expectStatus(await repo.deleteManifest(digest), 202);
    const live = other();
    await repo.mustPut(live);
    const machine = timeMachine(hub, repo);
    expect((await machine.purge({ digests: [live.digest] })).status).toBe(404);
    const kept = expectStatus(await machine.purge({ digests: [child.manifest.digest] }), 200);
    expect(kept.json()).toMatchObject({ manifests: 0, kept: [{ digest: child.manifest.digest }] });
    expectStatus(await machine.restore({ digests: [parent.digest] }), 200);
    await repo.mustPull(parent.digest);
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    expectStatus(await repo.deleteManifest(child.manifest.digest), 202);
    const all = expectStatus(await machine.purge(), 200);
    expect(all.json()).toMatchObject({ manifests: 2, kept: [], more: false });
    await repo.mustPull(live.digest);
  });

  it('of a whole project goes through its repositories', async () => {
    const project = await hub.project();
    for (const name of ['a', 'b']) await deleted(hub.admin.repo(`${project}/${name}`));
    const done = expectStatus(await hub.api('POST', `/projects/${project}/trash/purge`, {}), 200);
    expect(done.json()).toMatchObject({ manifests: 2, more: false });
    expect((await hub.api('POST', `/projects/${project}/trash/purge`, { digests: [other().digest] })).status).toBe(400);
  });
});

describe('a repository', () => {
  it('is deleted with all that is in it, is not listed, and comes back whole', async () => {
    const repo = await hub.repo();
    const project = projectOf(repo);
    const child = image();
    await repo.mustPushImage(child);
    const parent = index([child.manifest]);
    await repo.mustPut(parent, 'v1');
    await repo.mustPushImage(image(), 'v2');
    const files = await newFiles(hub, { name: `${project}x` });
    expectStatus(await files.put('1.0', 'a', 'one'), 201);
    expect((await files.put('1.0', 'b', 'two')).status).toBeLessThan(300);
    const machine = timeMachine(hub, repo);
    const listed = async () =>
      (await hub.api('GET', `/projects/${project}/repositories`)).json<{ items: unknown[] }>().items.length;
    expect(await listed()).toBe(1);
    expect(expectStatus(await machine.deleteRepository(), 200).json()).toEqual({ manifests: 3, done: true });
    expect(await listed()).toBe(0);
    for (const reference of ['v1', 'v2', parent.digest]) expect((await repo.getManifest(reference)).status).toBe(404);
    expect((await machine.trash()).flatMap(({ tags }) => tags).toSorted()).toEqual(['v1', 'v2']);
    expectStatus(await machine.restore({}), 200);
    for (const tag of ['v1', 'v2']) await repo.mustPull(tag);
    expect(await listed()).toBe(1);
    const theirs = timeMachine(hub, hub.admin.repo(files.repository));
    expectStatus(await theirs.deleteRepository(), 200);
    expectStatus(await theirs.restore({}), 200);
    for (const [path, content] of [
      ['a', 'one'],
      ['b', 'two'],
    ] as const) {
      expect((await files.get('1.0', path)).body.toString()).toBe(content);
    }
  });

  it('takes pushes again, and is deleted by owners alone', async () => {
    const maintainer = await hub.person();
    const project = await hub.project({ grants: { [maintainer.name]: 'maintainer' } });
    const repo = hub.admin.repo(`${project}/app`);
    await repo.mustPut(other(), 'v1');
    const answer = await send(hub.origin, {
      method: 'DELETE',
      path: `/api/v1/projects/${project}/repositories?repository=${repo.name}`,
      headers: { Authorization: basic(maintainer.credentials) },
    });
    expect(answer.status).toBe(403);
    expectStatus(await timeMachine(hub, repo).deleteRepository(), 200);
    await repo.mustPut(other(), 'v1');
    await repo.mustPull('v1');
  });

  it('is forgotten when nothing is left of it, unless its history keeps tags from moving', async () => {
    const [free, ruled] = [await hub.repo(), await hub.repo()];
    expectStatus(await hub.api('POST', `/projects/${projectOf(ruled)}/immutability`, {}), 201);
    for (const repo of [free, ruled]) {
      await repo.mustPut(other(), 'v1');
      expectStatus(await timeMachine(hub, repo).deleteRepository(), 200);
    }
    await forgetRepositories(hub.db);
    expect(await timeMachine(hub, free).history(), 'the trash is not empty').toHaveLength(2);
    for (const repo of [free, ruled]) expectStatus(await timeMachine(hub, repo).purge(), 200);
    await forgetRepositories(hub.db);
    const { rows } = await hub.db.pool.query('select path from repositories where path = any ($1)', [
      [free.name, ruled.name],
    ]);
    expect(rows).toEqual([{ path: ruled.name }]);
    expect((await ruled.putManifest(other(), 'v1')).status).toBe(409);
    for (const repo of [free, ruled]) expectStatus(await hub.api('DELETE', `/projects/${projectOf(repo)}`), 204);
  });

  it('with more than a request can take goes on in a job, what lists before what is listed', async () => {
    const repo = await hub.repo();
    const child = other();
    await repo.mustPut(child);
    const parent = index([child]);
    await repo.mustPut(parent, 'v1');
    await hub.db.pool.query(
      `insert into manifests (repository_id, digest, media_type, kind, size)
       select m.repository_id, '\\x02'::bytea || sha512(i::text::bytea), m.media_type, 'other', 2
       from manifests m join repositories r on r.id = m.repository_id, generate_series(1, 1100) i
       where r.path = $1 and m.digest = $2`,
      [repo.name, Buffer.from(`01${child.digest.slice(7)}`, 'hex')],
    );
    const answer = expectStatus(await timeMachine(hub, repo).deleteRepository(), 200);
    expect(answer.json()).toEqual({ manifests: 1_001, done: false });
    const { rows } = await hub.db.pool.query<{ payload: never }>(
      `select payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
       where t.identifier = 'delete-repository'`,
    );
    expect(rows).toHaveLength(1);
    await deleteRest({ db: hub.db }, rows[0]?.payload as never);
    await deleteRest({ db: hub.db }, rows[0]?.payload as never);
    expect((await repo.getManifest(child.digest)).status).toBe(404);
    expect(await repo.mustTags()).toEqual([]);
  });
});
