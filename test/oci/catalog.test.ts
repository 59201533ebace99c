import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, index, nextLink, parseChallenge, type OciClient } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const reader = await hub.person();
const outsider = await hub.person();
const projects = {
  hidden: await hub.project(),
  shared: await hub.project({ grants: { [reader.name]: 'reader' } }),
  open: await hub.project({ visibility: 'public' }),
};
const content = index([]);
const repositories: string[] = [];
for (const project of Object.values(projects)) {
  for (const path of [`${project}/b`, `${project}/a`, `${project}/a-b`, `${project}/a/c`, project]) {
    await hub.admin.repo(path).mustPut(content, 'v1');
    repositories.push(path);
  }
}
const ordered = (names: readonly string[]) =>
  names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
const inside = (...names: string[]) => ordered(repositories.filter((path) => names.includes(path.split('/')[0] ?? '')));

async function catalog(client: OciClient, query = ''): Promise<string[]> {
  const found: string[] = [];
  for (let path: string | undefined = `/v2/_catalog${query}`; path !== undefined;) {
    const answer = expectStatus(await client.request('GET', path, { scopes: ['registry:catalog:*'] }), 200);
    expect(answer.header('Content-Type')).toMatch(/^application\/json/);
    found.push(...answer.json<{ repositories: string[] }>().repositories);
    path = nextLink(answer);
    expect(found.length).toBeLessThan(1_000);
  }
  return found;
}

describe('_catalog', () => {
  it('shows the administrator everything, in byte order', async () => {
    expect(await catalog(hub.admin)).toEqual(ordered(repositories));
  });

  it('shows everyone else what they may pull, and nothing more', async () => {
    expect(await catalog(reader.client)).toEqual(inside(projects.shared, projects.open));
    expect(await catalog(outsider.client)).toEqual(inside(projects.open));
    expect(await catalog(hub.client(reader.credentials, 'basic'))).toEqual(inside(projects.shared, projects.open));
  });

  it('comes in pages, each with the rest behind a Link', async () => {
    for (const n of [1, 2, 7]) {
      expect(await catalog(reader.client, `?n=${n}`)).toEqual(inside(projects.shared, projects.open));
      expect(await catalog(hub.admin, `?n=${n}`)).toEqual(ordered(repositories));
    }
  });

  it('fills its pages with what may be seen, not with holes', async () => {
    const answer = await outsider.client.request('GET', '/v2/_catalog?n=3', { scopes: ['registry:catalog:*'] });
    expect(answer.json<{ repositories: string[] }>().repositories).toEqual(inside(projects.open).slice(0, 3));
  });

  it('goes on after last, also when that may not be seen', async () => {
    for (const last of [...repositories, 'zzzz', 'a']) {
      const after = inside(projects.open).filter((path) => Buffer.compare(Buffer.from(path), Buffer.from(last)) > 0);
      expect(await catalog(outsider.client, `?last=${encodeURIComponent(last)}`)).toEqual(after);
    }
  });

  it('challenges someone without a token', async () => {
    const answer = await hub.stranger.request('GET', '/v2/_catalog');
    expectError(answer, 401, 'UNAUTHORIZED');
    const { parameters } = parseChallenge(answer.header('WWW-Authenticate') ?? '');
    expect(parameters).not.toHaveProperty('error');
  });

  it.each(['-1', 'abc', '1.5'])('refuses n=%j', async (n) => {
    expectError(await hub.admin.request('GET', `/v2/_catalog?n=${n}`, { scopes: ['registry:catalog:*'] }), 400);
  });

  it('forgets a repository whose last manifest is gone', async () => {
    const repo = await hub.repo();
    await repo.mustPut(content, 'v1');
    expect(await catalog(hub.admin)).toContain(repo.name);
    expectStatus(await repo.deleteManifest(content.digest), 202);
    expect(await catalog(hub.admin)).not.toContain(repo.name);
  });
});

it('lists the part of a project that a grant is for, and nothing of the rest', async () => {
  const [person, project] = [await hub.person(), await hub.project()];
  for (const path of ['team-a/app', 'team-b/app']) await hub.admin.repo(`${project}/${path}`).mustPut(index([]), 'v1');
  const grant = { subject: person.name, role: 'reader', path_glob: 'team-a/**' };
  expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
  const answer = await person.client.request('GET', '/v2/_catalog?n=1000', { scopes: ['registry:catalog:*'] });
  const page = expectStatus(answer, 200).json<{ repositories: string[] }>();
  expect(page.repositories.filter((path) => path.startsWith(project))).toEqual([`${project}/team-a/app`]);
});
