import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { wrongQuotas } from '../../src/registry/quota/quota.ts';
import { filesClient, form, sha256, type FilesClient } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { basic, blob, expectStatus, image, send, type Answer } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { expectExact, expectRefused, limit, limited, noise, quotaOf, streamed } from './harness.ts';

const hub = await testHub();
const FULL = /^Project p\S+ is full: its limit is .+ What is in the trash counts: /;

async function files(max_bytes: number | null): Promise<FilesClient & { project: string }> {
  const project = await limited(hub, { max_bytes });
  return { ...filesClient(hub, `${project}/tools`), project };
}

async function uploadsIn(project: string): Promise<number> {
  const { rowCount } = await hub.db.pool.query(
    `select 1 from uploads u join repositories r on r.id = u.repository_id join projects p on p.id = r.project_id
     where p.name = $1`,
    [project],
  );
  return rowCount ?? 0;
}

function expectSentence(answer: Answer): void {
  expect(answer.status, answer.body.toString('utf8', 0, 300)).toBe(403);
  expect(answer.body.toString()).toMatch(FULL);
}

describe('/files', () => {
  it('refuses a file that does not fit, however it is sent, and keeps nothing of it', async () => {
    const { project, put, ask, at } = await files(10_000);
    expectStatus(await put('1.0', 'fits', noise(2_000)), 201);
    const before = await quotaOf(hub, project);
    expectSentence(await put('1.0', 'large', noise(9_000)));
    expectSentence(await put('1.0', 'streamed', streamed(noise(9_000), 1_000)));
    expectSentence(await ask('POST', at('1.0'), form([{ name: 'file', filename: 'form', content: noise(9_000) }])));
    const json = await ask('PUT', at('1.0', 'large'), { headers: { Accept: 'application/json' }, body: noise(9_000) });
    expect(json.json()).toMatchObject({ status: 403, type: 'urn:berth:problem:quota-exceeded' });
    expect(await expectExact(hub, project)).toEqual(before);
    expect(await uploadsIn(project)).toBe(0);
    expectStatus(await put('1.0', 'small', noise(1_000)), 201);
  });

  it('gives back what a file sent in pieces has taken, once a piece does not fit', async () => {
    const { project, ask, at } = await files(3_000_000);
    const bytes = noise(4_000_000);
    const piece = (start: number, end: number) =>
      ask('PUT', at('1.0', 'big'), {
        headers: { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` },
        body: bytes.subarray(start, end),
      });
    expectStatus(await piece(0, 2_000_000), 202);
    expect(await quotaOf(hub, project)).toMatchObject({ reserved_bytes: 2_000_000 });
    expectSentence(await piece(2_000_000, 4_000_000));
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 0, reserved_bytes: 0 });
  });

  it('lets through what is here already, by its checksum', async () => {
    const { project, put, ask, at } = await files(null);
    const bytes = noise(5_000);
    expectStatus(await put('1.0', 'a', bytes), 201);
    const used = (await quotaOf(hub, project)).used_bytes;
    await limit(hub, project, { max_bytes: used + 2_000 });
    const deploy = { 'X-Checksum-Sha256': sha256(bytes), 'X-Checksum-Deploy': 'true' };
    expectStatus(await ask('PUT', at('1.1', 'a'), { headers: deploy }), 201);
    expectStatus(await put('1.2', 'a', bytes, { 'X-Checksum-Sha256': sha256(bytes) }), 201);
    expectSentence(await put('1.3', 'a', noise(5_000)));
    await expectExact(hub, project);
  });

  it('never refuses to read a version whose manifest is not built yet; it counts from then on', async () => {
    const { project, put, repository, ask, at } = await files(null);
    for (const name of ['a', 'b']) expectStatus(await put('1.0', name, noise(100)), 201);
    await limit(hub, project, { max_bytes: 1, max_artifacts: 1 });
    expect(await quotaOf(hub, project)).toMatchObject({ artifacts: 1 });
    await hub.admin.repo(repository).mustPull('1.0');
    expect(await expectExact(hub, project)).toMatchObject({ artifacts: 2 });
    // And what would need another one is refused, unless it takes something away.
    expectSentence(await put('1.0', 'a', '', {}));
    expectStatus(await ask('DELETE', at('1.0', 'b')), 204);
    await hub.admin.repo(repository).mustPull('1.0');
    await expectExact(hub, project);
  });
});

describe('/charts', () => {
  it('refuses a chart that does not fit, with the sentence, and keeps nothing of it', async () => {
    const project = await limited(hub, { max_bytes: 100 });
    const packed = await chart();
    const answer = await classic(hub, `${project}/charts`).upload(packed.bytes);
    expect(answer.status).toBe(403);
    expect(answer.json<{ error: string }>().error).toMatch(FULL);
    expect(await uploadsIn(project)).toBe(0);
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 0, reserved_bytes: 0 });
    await limit(hub, project, { max_bytes: 100_000 });
    expectStatus(await classic(hub, `${project}/charts`).upload(packed.bytes), 201);
    await expectExact(hub, project);
  });
});

describe('Warning', () => {
  it('is on answers to pushes from nine tenths on, and never on pulls', async () => {
    const project = await limited(hub, { max_bytes: 100_000 });
    const repo = hub.admin.repo(`${project}/app`);
    const content = image({ layers: [80_000] });
    const early = await repo.post();
    expect(early.header('Warning')).toBeUndefined();
    for (const one of content.blobs) await repo.mustPush(one);
    const manifest = await repo.mustPut(content.manifest, 'v1');
    expect(manifest.header('Warning')).toBeUndefined();
    await repo.mustPush(blob(10_000));
    const told = /^299 - "(?:8[89]|9\d)(?:\.\d)? KiB of the 97\.7 KiB that the project may have are used"$/;
    const open = await repo.post();
    expect(open.header('Warning')).toMatch(told);
    expect((await repo.putManifest(content.manifest, 'v2')).header('Warning')).toMatch(told);
    const tools = filesClient(hub, `${project}/tools`);
    expect((await tools.put('1.0', 'a', noise(10))).header('Warning')).toMatch(told);
    const posted = await tools.ask('POST', tools.at('1.0'), form([{ name: 'file', filename: 'b', content: 'b' }]));
    expect(posted.header('Warning')).toMatch(told);
    expect((await classic(hub, `${project}/charts`).upload((await chart()).bytes)).header('Warning')).toMatch(told);
    for (const answer of [await repo.getManifest('v1'), await tools.get('1.0', 'a')]) {
      expect(expectStatus(answer, 200).header('Warning')).toBeUndefined();
    }
    for (const started of [early, open]) await repo.at(started.header('Location') ?? '', 'DELETE');
    await expectExact(hub, project);
  });

  it('speaks of artifacts, too', async () => {
    const project = await limited(hub, { max_artifacts: 1 });
    const repo = hub.admin.repo(`${project}/app`);
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    const answer = await repo.mustPut(content.manifest, 'v1');
    expect(answer.header('Warning')).toBe('299 - "1 of the 1 artifacts that the project may have are there"');
  });
});

describe('/api/v1/projects/:project/quota', () => {
  it('is read by owners, and set by administrators of the hub alone', async () => {
    const [owner, writer] = [await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [owner.name]: 'owner', [writer.name]: 'writer' } });
    const call = (who: typeof owner, method: string, path = '', body?: object) =>
      send(hub.origin, {
        method,
        path: `/api/v1/projects/${project}/quota${path}`,
        headers: { Authorization: basic(who.credentials), 'Content-Type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
    const limits = { max_bytes: 1_000, max_artifacts: null };
    expect((await call(owner, 'GET')).status).toBe(200);
    expect((await call(writer, 'GET')).status).toBe(403);
    for (const who of [owner, writer]) {
      expect((await call(who, 'PUT', '', limits)).status).toBe(403);
      expect((await call(who, 'POST', '/recount')).status).toBe(403);
    }
    expect((await hub.api('PUT', '/projects/none-of-these/quota', limits)).status).toBe(404);
    for (const wrong of [{ max_bytes: -1 }, { max_bytes: 1 }, { max_bytes: 1.5, max_artifacts: null }, {}]) {
      expect((await hub.api('PUT', `/projects/${project}/quota`, wrong)).status).toBe(400);
    }
  });

  it('is in the audit trail, with the limits before and after, and so is a refusal', async () => {
    const project = await hub.project();
    await limit(hub, project, { max_bytes: 500 });
    await limit(hub, project, { max_bytes: 500 });
    expectRefused(await hub.admin.repo(`${project}/app`).post({ digest: blob(501).digest }, { body: blob(501).bytes }));
    interface Entry {
      readonly data: unknown;
      readonly reason: string;
    }
    const entries = async (query: string): Promise<Entry[]> => {
      await hub.context.denials.flush();
      const answer = await hub.api('GET', `/audit?project=${project}&${query}`);
      return expectStatus(answer, 200).json<{ items: Entry[] }>().items;
    };
    let changes = await entries('action=quota.changed');
    for (; changes.length === 0; changes = await entries('action=quota.changed')) await delay(20);
    expect(changes.map(({ data }) => data)).toEqual([
      {
        project,
        before: { max_bytes: null, max_artifacts: null },
        after: { max_bytes: 500, max_artifacts: null },
      },
    ]);
    let denials = await entries('decision=deny');
    for (; denials.length === 0; denials = await entries('decision=deny')) await delay(20);
    expect(denials.map(({ reason }) => reason)).toEqual(['the quota of the project']);
  });

  it('recounts: what was counted wrong is corrected, and said', async () => {
    const project = await limited(hub, { max_bytes: 1_000_000 });
    const repo = hub.admin.repo(`${project}/app`);
    const content = image();
    await repo.mustPushImage(content, 'v1');
    const before = await quotaOf(hub, project);
    await hub.db.pool.query(
      `update project_usage set bytes = bytes + 7, artifacts = 0, reserved = 3
       where project_id = (select id from projects where name = $1)`,
      [project],
    );
    await hub.db.pool.query(
      `update project_blobs set links = links + 1 where project_id = (select id from projects where name = $1)`,
      [project],
    );
    expect(await wrongQuotas(hub.context.db)).toEqual([project]);
    const answer = expectStatus(await hub.api('POST', `/projects/${project}/quota/recount`), 200);
    const { used_bytes, artifacts, reserved_bytes } = before;
    expect(answer.json()).toEqual({
      before: { used_bytes: used_bytes + 7, artifacts: 0, reserved_bytes: 3 },
      after: { used_bytes, artifacts, reserved_bytes },
      corrected: true,
    });
    expect(await expectExact(hub, project)).toEqual(before);
  });
});
