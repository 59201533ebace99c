/** When runs begin, who works on them, and what survives the death of that worker. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { readPushedChart } from '../../src/registry/charts/jobs.ts';
import { startDueRuns } from '../../src/registry/retention/schedule.ts';
import { filesClient } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { basic, expectStatus, image, send, type Repo } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { decided } from './decided.ts';
import { decisionOn, projectOf, retentionOf } from './project.ts';

const hub = await testHub();
const { age, preview, set, start, runOf, undo, work, decisions } = retentionOf(hub);

async function withTags(...tags: readonly string[]): Promise<Repo> {
  const repo = await hub.repo();
  for (const tag of tags) await repo.mustPushImage(image(), tag);
  await age(2);
  return repo;
}

const runsOf = async (repo: Repo): Promise<readonly { id: string; trigger: string; state: string }[]> =>
  (await hub.api('GET', `/projects/${projectOf(repo)}/retention/runs`)).json<{ items: [] }>().items;

describe('a policy', () => {
  it('is refused with the sentence that says which rule and why', async () => {
    const repo = await hub.repo();
    const path = `/projects/${projectOf(repo)}/retention`;
    const refusal = async (rule: object) => {
      const answer = expectStatus(await hub.api('PUT', path, { rules: [{ keep_latest: 1 }, rule] }), 400);
      return answer.json<{ detail: string }>().detail;
    };
    expect(await refusal({ tags: ['pr-*'] })).toBe(
      'Rule 2 does not say what it keeps; keep_latest: 0 keeps none of what it covers.',
    );
    expect(await refusal({ keep_semver: ['nonsense'] })).toBe(
      'Rule 2: "nonsense" is not a range of semantic versions, such as ^1.2.',
    );
    expect(await refusal({ keep_latest: 1, per: 'major' })).toBe('Rule 2: per major needs by version.');
    expect((await hub.api('GET', path)).status).toBe(404);
    expect((await hub.api('POST', `${path}/runs`)).status).toBe(404);
  });

  it('is changed only by who has seen it, when they say so', async () => {
    const repo = await hub.repo();
    const path = `/projects/${projectOf(repo)}/retention`;
    await set(repo, [{ keep_latest: 5 }]);
    const policy = await hub.api('GET', path);
    expect(policy.json()).toMatchObject({
      rules: [{ keep_latest: 5 }],
      enabled: true,
      daily_hour: null,
      updated_by: 'admin',
    });
    await set(repo, [{ keep_latest: 6 }]);
    const headers = { Authorization: basic(hub.adminCredentials), 'If-Match': policy.header('ETag')! };
    expectStatus(await send(hub.origin, { method: 'DELETE', path: `/api/v1${path}`, headers }), 412);
    expectStatus(await hub.api('DELETE', path), 204);
    expect((await hub.api('GET', path)).status).toBe(404);
  });
});

describe('a daily run', () => {
  it('begins once a day, one that was missed too, and not while another is under way', async () => {
    const repo = await withTags('a');
    await set(repo, [{ keep_latest: 1 }], { daily_hour: 3 });
    await startDueRuns(hub.db);
    expect(await runsOf(repo)).toEqual([]);
    const backdate = (column: 'updated_at' | 'scheduled_at') =>
      hub.db.pool.query(`update retention_policies set ${column} = now() - interval '25 hours'`);
    await backdate('updated_at');
    await startDueRuns(hub.db);
    await startDueRuns(hub.db);
    const [run, ...more] = await runsOf(repo);
    expect(run).toMatchObject({ trigger: 'daily', state: 'waiting' });
    expect(more).toEqual([]);
    await backdate('scheduled_at');
    await startDueRuns(hub.db);
    expect(await runsOf(repo)).toHaveLength(1);
    await work(run!.id);
    await startDueRuns(hub.db);
    expect(await runsOf(repo)).toHaveLength(2);
    await work((await runsOf(repo))[0]!.id);
    await startDueRuns(hub.db);
    expect(await runsOf(repo)).toHaveLength(2);
  });

  it('is switched off by an undo, which would be undone by it', async () => {
    const repo = await withTags('a', 'b');
    await set(repo, [{ keep_latest: 1 }], { daily_hour: 3 });
    const { id } = await start(repo);
    await work(id);
    await undo(repo, id);
    await work(id);
    const policy = await hub.api('GET', `/projects/${projectOf(repo)}/retention`);
    expect(policy.json()).toMatchObject({ enabled: false, daily_hour: 3 });
    const again = await hub.api('POST', `/projects/${projectOf(repo)}/retention/runs/${id}/undo`);
    expect(again.status).toBe(409);
  });
});

describe('a run', () => {
  it('is the only one in its project', async () => {
    const repo = await withTags('a');
    await set(repo, [{ keep_latest: 1 }]);
    const { id } = await start(repo);
    const second = await hub.api('POST', `/projects/${projectOf(repo)}/retention/runs`);
    expect(second.status).toBe(409);
    expect(second.json()).toMatchObject({ type: 'urn:berth:problem:run-under-way' });
    await Promise.all([work(id), work(id)]);
    expect(await runOf(repo, id)).toMatchObject({ state: 'done', tags_kept: 1 });
    expect((await runsOf(repo)).length).toBe(1);
  });

  it('goes on where a killed worker left it, which can do no more', async () => {
    const repo = await withTags('a', 'b', 'c');
    await set(repo, [{ keep_latest: 1 }]);
    const { id } = await start(repo);
    const dead = await decided(hub, repo, id);
    await work(id);
    expect((await runOf(repo, id)).state).toBe('running');
    await hub.db.query(sql`update retention_runs set seen_at = now() - interval '1 hour' where id = ${Number(id)}`);
    await work(id);
    expect(await runOf(repo, id)).toMatchObject({ state: 'done', tags_deleted: 2, manifests_deleted: 2, tags_kept: 1 });
    await repo.mustPushImage(image(), 'd');
    await expect(dead()).rejects.toThrow();
    expect(await repo.mustTags()).toHaveLength(2);
  });
});

describe('undoing', () => {
  it('leaves a name that somebody has given to something else', async () => {
    const repo = await withTags('a', 'b', 'c');
    await set(repo, [{ keep_latest: 0 }]);
    const { id } = await start(repo);
    await work(id);
    const other = image();
    await repo.mustPushImage(other, 'b');
    await repo.mustPushImage(image(), 'c');
    expectStatus(await repo.request('DELETE', '/manifests/c'), 202);
    await undo(repo, id);
    await work(id);
    expect(await repo.mustTags()).toEqual(['a', 'b']);
    expect((await repo.request('HEAD', '/manifests/b')).header('Docker-Content-Digest')).toBe(other.manifest.digest);
    const made = await decisions(repo, id);
    expect(made.filter(({ decision }) => decision === 'restored')).toHaveLength(4);
    for (const { digest } of made) await repo.mustPull(digest!);
  });

  it('brings files back that were in no manifest yet', async () => {
    const project = await hub.project();
    const files = filesClient(hub, `${project}/pack`);
    expectStatus(await files.put('1.0', 'x.txt', 'the content'), 201);
    expectStatus(await files.put('1.0', 'y.txt', 'of a version'), 201);
    await age(2);
    const repo = hub.admin.repo(files.repository);
    const before = await preview(repo, [{ keep_latest: 0 }]);
    await set(repo, [{ keep_latest: 0 }]);
    const { id } = await start(repo);
    await work(id);
    const run = await runOf(repo, id);
    const { tags_deleted, manifests_deleted, bytes } = before.totals!;
    expect(run).toMatchObject({ state: 'done', skipped: 0, tags_deleted, manifests_deleted, bytes });
    expect((await files.get('1.0', 'x.txt')).status).toBe(404);
    await undo(repo, id);
    await work(id);
    expect((await files.get('1.0', 'x.txt')).body.toString()).toBe('the content');
    expect((await files.get('1.0', 'y.txt')).body.toString()).toBe('of a version');
  });

  it('brings a chart back into the index', async () => {
    const project = await hub.project();
    const door = classic(hub, project);
    const packed = await chart({ name: 'web' });
    expectStatus(await door.upload(packed.bytes), 201);
    await age(2);
    const repo = hub.admin.repo(`${project}/web`);
    await set(repo, [{ kinds: ['chart'], keep_latest: 0 }]);
    const { id } = await start(repo);
    await work(id);
    expect((await door.index()).entries).toEqual({});
    const { digest } = decisionOn(
      (await decisions(repo, id)).filter(({ kind }) => kind === 'tag'),
      packed.version,
    );
    await undo(repo, id);
    await work(id);
    const row = await hub.db.first<{ id: number }>(sql`
      select id from manifests where encode(substr(digest, 2), 'hex') = ${digest!.slice(7)}`);
    await readPushedChart(hub.context.registry, row!.id);
    expect(Object.keys((await door.index()).entries)).toEqual(['web']);
    expect((await door.get(`/${packed.file}`)).body).toEqual(packed.bytes);
  });
});
