import { describe, expect, it } from 'vitest';
import { pruneHolds } from '../../src/registry/holds.ts';
import { testHub, type Person } from '../harness/hub.ts';
import {
  basic,
  expectStatus,
  image,
  index,
  send,
  type Answer,
  type Manifest,
  type Repo,
} from '../harness/oci-client.ts';

const hub = await testHub();

const other = (): Manifest => index([], { extra: { annotations: { nonce: String(Math.random()) } } });
const projectOf = (repo: { name: string }) => repo.name.split('/')[0] as string;
const OWNER = { owner_kind: 'release', owner_id: 'web 1.2.3', reason: 'runs in production' };

function place(repo: Repo, body: Record<string, unknown>): Promise<Answer> {
  return hub.api('PUT', `/projects/${projectOf(repo)}/holds`, { repository: repo.name, ...OWNER, ...body });
}

function as(person: Person, method: string, path: string, body?: unknown): Promise<Answer> {
  return send(hub.origin, {
    method,
    path: `/api/v1${path}`,
    headers: { Authorization: basic(person.credentials), 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('a held manifest', () => {
  it('is not deleted, and the refusal says who holds it and why', async () => {
    const repo = await hub.repo();
    const content = other();
    await repo.mustPut(content, 'v1');
    const { id } = expectStatus(await place(repo, { tag: 'v1' }), 200).json<{ id: string; digest: string }>();
    const refused = await repo.deleteManifest(content.digest);
    expect(refused.status).toBe(409);
    expect(refused.json<{ errors: { message: string }[] }>().errors[0]?.message).toBe(
      `Manifest ${content.digest} is held by release web 1.2.3 (runs in production); release that hold first`,
    );
    expectStatus(await repo.deleteManifest('v1'), 202);
    await repo.mustPull(content.digest);
    expectStatus(await hub.api('DELETE', `/projects/${projectOf(repo)}/holds/${id}`), 204);
    expectStatus(await repo.deleteManifest(content.digest), 202);
  });

  it('keeps all that it lists', async () => {
    const repo = await hub.repo();
    const child = image();
    await repo.mustPushImage(child);
    const inner = index([child.manifest]);
    await repo.mustPut(inner);
    const outer = index([inner]);
    await repo.mustPut(outer, 'v1');
    expectStatus(await place(repo, { digest: outer.digest }), 200);
    const refused = await repo.deleteManifest(child.manifest.digest);
    expect(refused.status).toBe(409);
    expect(refused.body.toString()).toContain(`held through the index ${outer.digest} by release`);
  });

  it('stays when its repository is to be deleted', async () => {
    const repo = await hub.repo();
    await repo.mustPut(other(), 'v1');
    expectStatus(await place(repo, { tag: 'v1' }), 200);
    const path = `/projects/${projectOf(repo)}/repositories?repository=${repo.name}`;
    expect((await hub.api('DELETE', path)).status).toBe(409);
    expect(await repo.mustTags()).toEqual(['v1']);
  });
});

describe('a hold', () => {
  it('is one for each owner and manifest; placing it again changes it', async () => {
    const repo = await hub.repo();
    await repo.mustPut(other(), 'v1');
    const first = expectStatus(await place(repo, { tag: 'v1' }), 200).json<{ id: string }>();
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const again = expectStatus(await place(repo, { tag: 'v1', reason: 'still', expires_at }), 200);
    expect(again.json()).toMatchObject({ id: first.id, reason: 'still', expires_at, created_by: 'admin' });
    expectStatus(await place(repo, { tag: 'v1', owner_id: 'web 2' }), 200);
    const list = (await hub.api('GET', `/projects/${projectOf(repo)}/holds`)).json<{ items: { reason: string }[] }>();
    expect(list.items.map(({ reason }) => reason)).toEqual(['still', 'runs in production']);
  });

  it('that has expired counts as none, and is pruned', async () => {
    const repo = await hub.repo();
    const content = other();
    await repo.mustPut(content, 'v1');
    expect((await place(repo, { tag: 'v1', expires_at: '2020-01-01T00:00:00Z' })).status).toBe(409);
    expectStatus(await place(repo, { tag: 'v1' }), 200);
    await hub.db.pool.query(`update holds set expires_at = now() - interval '1 second' where owner_id = 'web 1.2.3'`);
    const list = (await hub.api('GET', `/projects/${projectOf(repo)}/holds`)).json<{ items: unknown[] }>();
    expect(list.items).toEqual([]);
    expectStatus(await repo.deleteManifest(content.digest), 202);
    await pruneHolds(hub.db);
    expect((await hub.db.pool.query('select 1 from holds where expires_at < now()')).rowCount).toBe(0);
  });

  it('needs the right to delete there, and to see it the right to pull', async () => {
    const [maintainer, writer, stranger] = [await hub.person(), await hub.person(), await hub.person()];
    const project = await hub.project({ grants: { [maintainer.name]: 'maintainer', [writer.name]: 'writer' } });
    const repo = hub.admin.repo(`${project}/app`);
    await repo.mustPut(other(), 'v1');
    const body = { repository: repo.name, tag: 'v1', ...OWNER };
    expect((await as(writer, 'PUT', `/projects/${project}/holds`, body)).status).toBe(403);
    expect((await as(stranger, 'PUT', `/projects/${project}/holds`, body)).status).toBe(404);
    const { id } = expectStatus(await as(maintainer, 'PUT', `/projects/${project}/holds`, body), 200).json<{
      id: string;
    }>();
    expect((await as(writer, 'GET', `/projects/${project}/holds`)).json<{ items: unknown[] }>().items).toHaveLength(1);
    expect((await as(writer, 'DELETE', `/projects/${project}/holds/${id}`)).status).toBe(403);
    expect((await hub.api('DELETE', `/projects/${await hub.project()}/holds/${id}`)).status).toBe(404);
    expectStatus(await as(maintainer, 'DELETE', `/projects/${project}/holds/${id}`), 204);
  });

  it('names something of its own project that is there', async () => {
    const [repo, elsewhere] = [await hub.repo(), await hub.repo()];
    await repo.mustPut(other(), 'v1');
    const path = `/projects/${projectOf(elsewhere)}/holds`;
    expect((await hub.api('PUT', path, { repository: repo.name, tag: 'v1', ...OWNER })).status).toBe(404);
    expect((await place(repo, { tag: 'v2' })).status).toBe(404);
    expect((await place(repo, { digest: other().digest })).status).toBe(404);
    expect((await place(repo, {})).status).toBe(400);
    expect((await place(repo, { tag: 'v1', owner_kind: 'hub.release' })).status).toBe(400);
  });
});
