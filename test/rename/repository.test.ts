/** A repository gets another name in its project, or another project. */
import { describe, expect, it } from 'vitest';
import { jobs } from '../../src/worker.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, send, unique, type Credentials } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';
import { filesClient } from '../files/harness.ts';
import { chart } from '../helm/charts.ts';
import { expectExact, limit } from '../quota/harness.ts';
import { classic } from '../helm/client.ts';

const hub = await testHub();

function rename(project: string, from: string, to: string, more: Record<string, unknown> = {}) {
  return hub.api('POST', `/projects/${project}/repositories/rename`, { from, to, ...more });
}

/** What the queue holds of this hub, done at once. */
async function work(name: string): Promise<void> {
  const { rows } = await hub.db.pool.query<{ payload: never }>(
    `delete from graphile_worker._private_jobs j using graphile_worker._private_tasks t
     where t.id = j.task_id and t.identifier = $1 returning j.payload`,
    [name],
  );
  const job = jobs(hub.context).find((each) => each.name === name)!;
  for (const { payload } of rows) await job.run(payload);
}

async function move(project: string, from: string, to_project: string, to: string) {
  const answer = await hub.api('POST', `/projects/${project}/repositories/move`, { from, to_project, to });
  const { id } = expectStatus(answer, 202).json<{ move: { id: string } }>().move;
  await work('move-repository');
  return expectStatus(await hub.api('GET', `/projects/${project}/moves/${id}`), 200).json<Record<string, unknown>>();
}

const listed = async (namespace: string) => Object.keys((await classic(hub, namespace).index()).entries);

describe('renamed', () => {
  it('is read by both names and written by the new one', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    await hub.admin.repo(`${project}/app/part`).mustPushImage(image(), 'v1');
    expectStatus(await rename(project, 'app', 'web/app'), 200);
    for (const name of ['app', 'web/app']) await hub.admin.repo(`${project}/${name}`).mustPull('v1');
    const [told] = expectError(await hub.admin.repo(`${project}/app`).post(), 403, 'DENIED');
    expect(told!.message).toContain(`${project}/app is called ${project}/web/app now`);
    await hub.admin.repo(`${project}/web/app`).mustPushImage(image(), 'v2');
    // What is below the old name is another repository.
    await hub.admin.repo(`${project}/app/part`).mustPushImage(image(), 'v2');
    expectStatus(await rename(project, 'app', 'other'), 404);
    expectStatus(await rename(project, 'app/part', 'app'), 409);
    expectStatus(await rename(project, 'app/part', 'web/app'), 409);
    expectStatus(await rename(project, 'app/part', 'No Name'), 400);
    expectStatus(await hub.api('DELETE', `/projects/${project}/aliases/${encodeURIComponent(`${project}/app`)}`), 204);
    expectStatus(await rename(project, 'app/part', 'app'), 200);
    await hub.admin.repo(`${project}/app`).mustPull('v2');
  });

  it('goes back, and forth, as often as it likes', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/a`).mustPushImage(image(), 'v1');
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ] as const)
      expectStatus(await rename(project, from, to), 200);
    for (const name of ['a', 'b', 'c']) await hub.admin.repo(`${project}/${name}`).mustPull('v1');
    await hub.admin.repo(`${project}/a`).mustPushImage(image(), 'v2');
    for (const name of ['b', 'c']) expectError(await hub.admin.repo(`${project}/${name}`).post(), 403, 'DENIED');
  });

  it('with its project too, by every name that the two ever had together', async () => {
    const [project, now] = [await hub.project(), unique('now')];
    await hub.admin.repo(`${project}/a`).mustPushImage(image(), 'v1');
    expectStatus(await rename(project, 'a', 'b'), 200);
    expectStatus(await hub.api('POST', `/projects/${project}/rename`, { name: now }), 200);
    expectStatus(await rename(now, 'b', 'c'), 200);
    for (const name of [project, now])
      for (const rest of ['a', 'b', 'c']) await hub.admin.repo(`${name}/${rest}`).mustPull('v1');
  });

  it('is listed, as a chart, where its path says', async () => {
    const project = await hub.project();
    const packed = await chart();
    expectStatus(await classic(hub, `${project}/a`).upload(packed.bytes), 201);
    expect([await listed(`${project}/a`), await listed(`${project}/b`)]).toEqual([['web'], []]);
    expectStatus(await rename(project, 'a/web', 'b/web'), 200);
    expect([await listed(`${project}/a`), await listed(`${project}/b`)]).toEqual([[], ['web']]);
    // Archives and the API go on where the index of yesterday says they are.
    for (const namespace of ['a', 'b']) {
      const door = classic(hub, `${project}/${namespace}`);
      expect(expectStatus(await door.get(`/${packed.file}`), 200).body).toEqual(packed.bytes);
      expectStatus(await door.get('/api/charts/web/1.2.3'), 200);
    }
    // Under another name it is no chart that helm would find, until it is called so again.
    expectStatus(await rename(project, 'b/web', 'b/site'), 200);
    expect(await listed(`${project}/b`)).toEqual([]);
    expect(expectStatus(await classic(hub, `${project}/b`).get(`/${packed.file}`), 200).body).toEqual(packed.bytes);
    expectStatus(await rename(project, 'b/site', 'c/web'), 200);
    await work('list-charts-of');
    expect(await listed(`${project}/c`)).toEqual(['web']);
    const more = await chart({ version: '2.0.0' });
    expectStatus(await classic(hub, `${project}/c`).upload(more.bytes), 201);
    expect((await classic(hub, `${project}/c`).index()).entries['web']!.map(({ version }) => version)).toEqual([
      '2.0.0',
      '1.2.3',
    ]);
  });

  it('keeps a first push to its old name from making another one', async () => {
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'writer' } });
    await hub.admin.repo(`${project}/a`).mustPushImage(image(), 'v1');
    expectStatus(await rename(project, 'a', 'b'), 200);
    expectError(await writer.client.repo(`${project}/a`).post(), 403, 'DENIED');
    expectStatus(await filesClient(hub, `${project}/a`, writer.credentials).put('1.0', 'x', 'x'), 403);
  });
});

describe('moved', () => {
  it('takes everything along, and is read by its old name with the rights of the new project', async () => {
    const [here, there] = [await hub.person(), await hub.person()];
    const source = await hub.project({ grants: { [here.name]: 'writer' } });
    const target = await hub.project({ grants: { [there.name]: 'reader' } });
    const pushed = image();
    await hub.admin.repo(`${source}/app`).mustPushImage(pushed, 'v1');
    const done = await move(source, 'app', target, 'from/app');
    expect(done).toMatchObject({ state: 'done', manifests: 1, blobs: pushed.blobs.length, to_project: target });
    for (const name of [`${source}/app`, `${target}/from/app`]) {
      await there.client.repo(name).mustPull('v1');
      expectError(await here.client.repo(name).getManifest('v1'), 404, 'NAME_UNKNOWN');
    }
    // Whoever may not see where it went is told no more than that this cannot be written.
    const [untold] = expectError(await here.client.repo(`${source}/app`).post(), 403, 'DENIED');
    expect(untold!.message).not.toContain(target);
    await hub.admin.repo(`${target}/from/app`).mustPushImage(image(), 'v2');
    const repositories = async (project: string) =>
      (await hub.api('GET', `/projects/${project}/repositories`)).json<{ items: { path: string }[] }>().items;
    expect(await repositories(source)).toEqual([]);
    expect(await repositories(target)).toMatchObject([{ path: `${target}/from/app` }]);
    // And back.
    expect(await move(target, 'from/app', source, 'app')).toMatchObject({ state: 'done' });
    await here.client.repo(`${source}/app`).mustPull('v2');
    const moves = await hub.api('GET', `/projects/${source}/moves`);
    expect(moves.json<{ items: object[] }>().items).toMatchObject([{ to: 'app' }, { to: 'from/app' }]);
  });

  it('takes what it uses from one account to the other, and goes nowhere where it has no room', async () => {
    const [source, target, full] = [await hub.project(), await hub.project(), await hub.project()];
    const [mine, shared] = [image(), image()];
    await hub.admin.repo(`${source}/app`).mustPushImage(mine, 'v1');
    for (const repository of [`${source}/app`, `${source}/stays`, `${target}/there`]) {
      await hub.admin.repo(repository).mustPushImage(shared, 'v2');
    }
    for (const project of [source, target]) await limit(hub, project, { max_bytes: 1_000_000 });
    await limit(hub, full, { max_bytes: 100 });
    const before = [await expectExact(hub, source), await expectExact(hub, target)];
    expect(await move(source, 'app', full, 'app')).toMatchObject({
      state: 'failed',
      error: expect.stringContaining(`Project ${full} is full`),
    });
    await hub.admin.repo(`${source}/app`).mustPull('v1');
    expect([await expectExact(hub, source), (await expectExact(hub, full)).used_bytes]).toEqual([before[0], 0]);
    expect(await move(source, 'app', target, 'app')).toMatchObject({ state: 'done' });
    const after = [await expectExact(hub, source), await expectExact(hub, target)];
    expect(after.map(({ artifacts }) => artifacts)).toEqual([1, 3]);
    expect(after[0]!.used_bytes).toBeLessThan(before[0]!.used_bytes);
    expect(after[1]!.used_bytes).toBeGreaterThan(before[1]!.used_bytes);
  });

  it('is seen beforehand: which grants of either project stop and start to match', async () => {
    const [here, there] = [await hub.person(), await hub.person()];
    const source = await hub.project({ grants: { [here.name]: 'writer' } });
    const target = await hub.project({ grants: { [there.name]: 'writer' } });
    await hub.admin.repo(`${source}/app`).mustPushImage(image(), 'v1');
    const rule = { path_glob: 'ap*', tag_glob: 'v*' };
    expectStatus(await hub.api('POST', `/projects/${target}/immutability`, rule), 201);
    const rules = [{ keep_latest: 5 }, { paths: ['a*', 'web'], keep_latest: 1 }];
    expectStatus(await hub.api('PUT', `/projects/${source}/retention`, { rules }), 200);
    const wanted = { from: 'app', to_project: target, to: 'app', dry_run: true };
    const answer = expectStatus(await hub.api('POST', `/projects/${source}/repositories/move`, wanted), 202);
    const { effects, move: none } = answer.json<{ effects: { grants: object[]; rules: object[] }; move?: object }>();
    expect(none).toBeUndefined();
    expect(effects.grants).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          project: source,
          change: 'stops',
          grant: expect.objectContaining({ subject: here.name }),
        }),
        expect.objectContaining({
          project: target,
          change: 'starts',
          grant: expect.objectContaining({ subject: there.name }),
        }),
      ]),
    );
    expect(effects.rules).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'immutability', project: target, paths: ['ap*'], change: 'starts' }),
        { kind: 'retention', id: '2', project: source, paths: ['a*', 'web'], change: 'stops' },
      ]),
    );
    expect(effects.rules.length).toBe(2);
    await here.client.repo(`${source}/app`).mustPull('v1');
  });

  it('takes its chart to the other index', async () => {
    const [source, target] = [await hub.project(), await hub.project()];
    const packed = await chart();
    expectStatus(await classic(hub, `${source}/charts`).upload(packed.bytes), 201);
    expect(await listed(`${source}/charts`)).toEqual(['web']);
    expect(await move(source, 'charts/web', target, 'web')).toMatchObject({ state: 'done' });
    expect([await listed(`${source}/charts`), await listed(target)]).toEqual([[], ['web']]);
    expectStatus(await classic(hub, `${source}/charts`).get(`/${packed.file}`), 200);
  });

  it('says why it failed when something came in its way, and nothing has changed', async () => {
    const [source, target] = [await hub.project(), await hub.project()];
    await hub.admin.repo(`${source}/app`).mustPushImage(image(), 'v1');
    const wanted = { from: 'app', to_project: target, to: 'app' };
    const ask = () => hub.api('POST', `/projects/${source}/repositories/move`, wanted);
    const { id } = expectStatus(await ask(), 202).json<{ move: { id: string } }>().move;
    expectStatus(await ask(), 409);
    await hub.admin.repo(`${target}/app`).mustPushImage(image(), 'v1');
    await work('move-repository');
    const failed = await hub.api('GET', `/projects/${target}/moves/${id}`);
    expect(failed.json()).toMatchObject({ state: 'failed', error: expect.stringContaining(`${target}/app`) });
    expectStatus(await ask(), 409);
    await hub.admin.repo(`${source}/app`).mustPushImage(image(), 'v2');
  });

  it('needs an owner of both projects', async () => {
    const owner = await hub.person();
    const source = await hub.project({ grants: { [owner.name]: 'owner' } });
    const [seen, hidden] = [await hub.project({ grants: { [owner.name]: 'writer' } }), await hub.project()];
    await hub.admin.repo(`${source}/app`).mustPushImage(image(), 'v1');
    const ask = (to_project: string, who: Credentials = owner.credentials) =>
      send(hub.origin, {
        method: 'POST',
        path: `/api/v1/projects/${source}/repositories/move`,
        headers: { Authorization: basic(who), 'Content-Type': 'application/json' },
        body: JSON.stringify({ from: 'app', to_project, to: 'app' }),
      });
    expectStatus(await ask(seen), 403);
    const told = expectStatus(await ask(hidden), 400).json<Record<string, unknown>>();
    const unknown = expectStatus(await ask(unique('none')), 400).json<Record<string, unknown>>();
    expect({ ...told, request_id: '' }).toEqual({ ...unknown, request_id: '' });
    expectStatus(await ask(source), 400);
  });
});
