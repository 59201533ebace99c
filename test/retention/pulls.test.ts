/** Pulls are counted, by every door, without asking Postgres while somebody waits. */
import { describe, expect, it } from 'vitest';
import { filesClient } from '../files/harness.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image, type Repo } from '../harness/oci-client.ts';
import { chart } from '../helm/charts.ts';
import { classic } from '../helm/client.ts';
import { projectOf, retentionOf } from './project.ts';

const hub = await testHub();
const { age, preview } = retentionOf(hub);

interface Entry {
  readonly name: string;
  readonly digest?: string;
  readonly kind: string;
  readonly size: number;
  readonly pushed_by?: string;
  readonly last_pulled_at?: string;
  readonly pulls: number;
}

async function tagsOf(path: string, query = ''): Promise<{ items: Entry[]; next_cursor?: string }> {
  await hub.context.registry.pulls.flush();
  const project = path.split('/')[0]!;
  return expectStatus(await hub.api('GET', `/projects/${project}/tags?repository=${path}${query}`), 200).json();
}

const pullsOf = async (path: string): Promise<number[]> => (await tagsOf(path)).items.map(({ pulls }) => pulls);

describe('a pull', () => {
  it('is a GET of a manifest, or a HEAD by tag', async () => {
    const repo: Repo = await hub.repo();
    const pushed = image();
    await repo.mustPushImage(pushed, 'v1');
    expect(await pullsOf(repo.name)).toEqual([0]);
    await repo.request('HEAD', '/manifests/v1');
    await repo.request('GET', '/manifests/v1');
    expect(await pullsOf(repo.name)).toEqual([2]);
    await repo.request('HEAD', `/manifests/${pushed.manifest.digest}`);
    await repo.request('GET', `/manifests/${pushed.manifest.digest}`);
    expect(await pullsOf(repo.name)).toEqual([2]);
    const { items } = await tagsOf(repo.name);
    expect(items[0]).toMatchObject({
      name: 'v1',
      digest: pushed.manifest.digest,
      kind: 'image',
      size: pushed.manifest.size + pushed.blobs.reduce((sum, { size }) => sum + size, 0),
      pushed_by: 'admin',
      last_pulled_at: expect.any(String),
    });
  });

  it('is a download of a file, and of a chart', async () => {
    const project = await hub.project();
    const files = filesClient(hub, `${project}/pack`);
    expectStatus(await files.put('1.0', 'x.txt', 'x'), 201);
    expectStatus(await files.get('1.0', 'x.txt'), 200);
    expect(await pullsOf(`${project}/pack`)).toEqual([1]);
    const packed = await chart({ name: 'web' });
    const door = classic(hub, project);
    expectStatus(await door.upload(packed.bytes), 201);
    expectStatus(await door.get(`/${packed.file}`), 200);
    expect(await pullsOf(`${project}/web`)).toEqual([1]);
  });

  it('of a platform is one of its index, and keeps that', async () => {
    const repo = await hub.repo();
    const child = image();
    await repo.mustPushImage(child, 'amd64');
    await age(90);
    await repo.request('GET', `/manifests/${child.manifest.digest}`);
    const { totals } = await preview(repo, [{ keep_pulled_days: 30 }]);
    expect(totals).toMatchObject({ tags_deleted: 0, tags_kept: 1 });
  });

  it('is not missed where none was counted yet', async () => {
    const repo = await hub.repo();
    await repo.mustPushImage(image(), 'old');
    await hub.db.pool.query(`update tags set updated_at = updated_at - interval '1 year'`);
    await hub.db.pool.query(`update manifests set leased_until = now()`);
    await hub.db.pool.query(`update pull_tracking set since = now() - interval '10 days'`);
    expect((await preview(repo, [{ keep_pulled_days: 30 }])).items[0]!.reason).toBe(
      'kept because rule 1 keeps what was pulled in the last 30 days (no pull since they are counted, 10 days ago)',
    );
  });
});

describe('the list of tags', () => {
  it('comes in pages, by name', async () => {
    const repo = await hub.repo();
    const pushed = image();
    for (const tag of ['c', 'a', 'b']) await repo.mustPushImage(pushed, tag);
    const first = await tagsOf(repo.name, '&limit=2');
    expect(first.items.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await tagsOf(repo.name, `&limit=2&cursor=${first.next_cursor}`);
    expect(second.items.map(({ name }) => name)).toEqual(['c']);
    expect(second.next_cursor).toBeUndefined();
  });

  it('is not for who may not pull from the repository', async () => {
    const repo = await hub.repo();
    await repo.mustPushImage(image(), 'v1');
    const other = await hub.repo();
    const path = `/projects/${projectOf(other)}/tags?repository=${repo.name}`;
    expect((await hub.api('GET', path)).status).toBe(404);
  });
});
