import { expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, type Answer } from '../harness/oci-client.ts';
import { other, projectOf, timeMachine } from './harness.ts';

const hub = await testHub();
const problemOf = (answer: Answer) => answer.json<{ type: string }>().type;

it('a repository that has another name now is read by the old one, and written by none', async () => {
  const repo = await hub.repo();
  const project = projectOf(repo);
  const [a, b] = [other(), other()];
  for (const content of [a, b]) await repo.mustPut(content, 'v1');
  expectStatus(await repo.deleteManifest(a.digest), 202);
  const renamed = await hub.api('POST', `/projects/${project}/repositories/rename`, {
    from: 'app',
    to: 'renamed',
  });
  expect(renamed.status).toBeLessThan(300);
  const [byOld, byNew] = [timeMachine(hub, repo), timeMachine(hub, hub.admin.repo(`${project}/renamed`))];
  expect(await byOld.history('v1')).toEqual(await byNew.history('v1'));
  for (const refused of [
    await byOld.restoreTag('v1', a.digest),
    await byOld.restore({}),
    await byOld.purge(),
    await byOld.deleteRepository(),
    await hub.api('PUT', `/projects/${project}/holds`, {
      repository: repo.name,
      tag: 'v1',
      owner_kind: 'release',
      owner_id: 'x',
      reason: 'runs',
    }),
  ]) {
    expect([refused.status, problemOf(refused)]).toEqual([403, 'urn:berth:problem:renamed']);
  }
  expect((await byNew.trash()).map(({ digest }) => digest)).toEqual([a.digest]);
  expectStatus(await byNew.restoreTag('v1', a.digest), 200);
  await repo.mustPull('v1');
});

it('rules are about the names that repositories and projects have now', async () => {
  const repo = await hub.repo();
  const project = projectOf(repo);
  await repo.mustPut(other(), 'v1');
  expectStatus(await hub.api('POST', `/projects/${project}/immutability`, { path_glob: 'prod/**' }), 201);
  await repo.mustPut(other(), 'v1');
  const moved = await hub.api('POST', `/projects/${project}/repositories/rename`, { from: 'app', to: 'prod/app' });
  expect(moved.status).toBeLessThan(300);
  const now = `${project}x`;
  expect((await hub.api('POST', `/projects/${project}/rename`, { name: now })).status).toBeLessThan(300);
  const answer = await hub.admin.repo(`${now}/prod/app`).putManifest(other(), 'v1');
  expect([answer.status, answer.body.toString()]).toEqual([409, expect.stringContaining('is immutable')]);
});
