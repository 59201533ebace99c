/** `create_only`: whether a push makes or moves a tag is decided under the tag's lock. */
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, index, type Manifest, type Repo } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const content = (): Manifest => index([], { extra: { annotations: { nonce: crypto.randomUUID() } } });

async function repoFor(grant: Record<string, unknown>): Promise<{ repo: Repo; project: string }> {
  const [person, project] = [await hub.person(), await hub.project()];
  expectStatus(await hub.api('PUT', `/projects/${project}/grants`, { subject: person.name, ...grant }), 200);
  return { repo: person.client.repo(`${project}/app`), project };
}

describe('who may only create', () => {
  it.each(['latest', 'v1', 'x'.repeat(128), '_under'])('makes %s once, and may say it again', async (tag) => {
    const { repo, project } = await repoFor({ role: 'writer', create_only: true });
    const [first, second] = [content(), content()];
    expectStatus(await repo.putManifest(first, tag), 201);
    expectError(await repo.putManifest(second, tag), 403, 'DENIED');
    expectStatus(await repo.putManifest(first, tag), 201);
    expect((await hub.admin.repo(`${project}/app`).getManifest(tag)).body).toEqual(first.bytes);
    // Nothing of the refused push is left, not even without its tag.
    expect((await repo.headManifest(second.digest)).status).toBe(404);
  });

  it('pushes by digest what no tag names, and deletes nothing', async () => {
    const { repo } = await repoFor({ role: 'maintainer', create_only: true });
    const [tagged, bare] = [content(), content()];
    expectStatus(await repo.putManifest(tagged, 'v1'), 201);
    expectStatus(await repo.putManifest(bare), 201);
    for (const reference of ['v1', tagged.digest, bare.digest]) {
      expectError(await repo.deleteManifest(reference), 403, 'DENIED');
    }
  });

  it('moves no tag with ?tag= either, and then makes none of the others', async () => {
    const { repo } = await repoFor({ role: 'writer', create_only: true });
    expectStatus(await repo.putManifest(content(), 'taken'), 201);
    const second = content();
    expectError(await repo.putManifest(second, second.digest, { tag: ['free', 'taken'] }), 403, 'DENIED');
    expect((await repo.headManifest('free')).status).toBe(404);
  });

  it('of 50 first pushes at once one wins, and the tag says so', async () => {
    const { repo, project } = await repoFor({ role: 'writer', create_only: true });
    const contents = Array.from({ length: 50 }, content);
    // The repository is there, so that all of them meet at the tag.
    expectStatus(await repo.putManifest(content(), 'other'), 201);
    const answers = await Promise.all(contents.map((one) => repo.putManifest(one, 'v1.0.0')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) expectError(answer, 403, 'DENIED');
    const winner = contents[answers.findIndex(({ status }) => status === 201)]!;
    expect((await hub.admin.repo(`${project}/app`).getManifest('v1.0.0')).body).toEqual(winner.bytes);
  });
});

describe('a tag glob', () => {
  it('tells create, overwrite and delete apart for each tag, and limits no reading', async () => {
    const { repo, project } = await repoFor({ role: 'maintainer', tag_glob: 'dev-*' });
    const owner = hub.admin.repo(`${project}/app`);
    const [one, two] = [content(), content()];
    expectStatus(await owner.putManifest(one, 'v1'), 201);
    expectStatus(await repo.putManifest(one, 'dev-1'), 201);
    expectStatus(await repo.putManifest(two, 'dev-1'), 201);
    expectError(await repo.putManifest(two, 'v1'), 403, 'DENIED');
    expectError(await repo.putManifest(two, 'v2'), 403, 'DENIED');
    expectError(await repo.deleteManifest('v1'), 403, 'DENIED');
    expect((await repo.getManifest('v1')).status).toBe(200);
    expectStatus(await repo.deleteManifest('dev-1'), 202);
  });

  it('stops a delete by digest that would take a tag beyond it', async () => {
    const { repo, project } = await repoFor({ role: 'maintainer', tag_glob: 'dev-*' });
    const one = content();
    expectStatus(await repo.putManifest(one, 'dev-1'), 201);
    expectStatus(await hub.admin.repo(`${project}/app`).putManifest(one, 'v1'), 201);
    expectError(await repo.deleteManifest(one.digest), 403, 'DENIED');
    expect((await repo.headManifest('dev-1')).status).toBe(200);
    expectStatus(await hub.admin.repo(`${project}/app`).deleteManifest('v1'), 202);
    expectStatus(await repo.deleteManifest(one.digest), 202);
  });

  it('together with create_only on another lets each rule say its part', async () => {
    const { repo, project } = await repoFor({ role: 'writer', tag_glob: 'v*', create_only: true });
    const grant = { subject: (await nameOf(repo)).name, role: 'writer', tag_glob: 'latest' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    for (const tag of ['v1', 'latest']) expectStatus(await repo.putManifest(content(), tag), 201);
    expectStatus(await repo.putManifest(content(), 'latest'), 201);
    expectError(await repo.putManifest(content(), 'v1'), 403, 'DENIED');
  });
});

async function nameOf(repo: Repo): Promise<{ name: string }> {
  const project = repo.name.split('/')[0]!;
  const { items } = (await hub.api('GET', `/projects/${project}/grants`)).json<{
    items: { subject: string; role: string }[];
  }>();
  return { name: items.find(({ role }) => role === 'writer')!.subject };
}
