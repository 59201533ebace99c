import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { lacks, rootRights } from './clients/client.ts';
import { makeCrane } from './clients/crane.ts';
import { makeCurl } from './clients/curl.ts';
import { startDocker } from './clients/docker.ts';
import { makeHelm, releases } from './clients/helm.ts';
import { makeOras } from './clients/oras.ts';
import { makePodman } from './clients/podman.ts';
import { makeSkopeo } from './clients/skopeo.ts';
import { run } from './command.ts';
import { writeBuildContext, writeRandomFile } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** What a full project looks like to whoever pushes into it: every client shows the sentence. */
describe('a project with room for 5 MiB', () => {
  const hub = inject('hub');
  const curl = makeCurl(hub);
  const project = (client: string) => `quota-${client.replace('.', '-')}`;
  const full = (client: string) =>
    new RegExp(`Project ${project(client)} is full: its limit is 5 MiB, [^]*trash counts`);
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await makeWorkspace('quota');
    for (const client of ['docker', 'podman', 'skopeo', 'crane', 'oras', 'curl', ...releases]) {
      const json = ['--header', 'Content-Type: application/json'];
      await curl('/api/v1/projects', ...json, '--data', JSON.stringify({ name: project(client) }));
      const limits = JSON.stringify({ max_bytes: 5 * 2 ** 20, max_artifacts: null });
      await curl(`/api/v1/projects/${project(client)}/quota`, '--request', 'PUT', ...json, '--data', limits);
    }
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  /**
   * Nothing that was refused holds room any more; layers that went up whole are there and count, and so does the beginning of
   * one that the client broke off itself because another was refused: it may come back for the rest.
   */
  async function expectNothingInFlight(client: string, brokenOff = 0): Promise<void> {
    const quota = JSON.parse(await curl(`/api/v1/projects/${project(client)}/quota`)) as Record<string, number>;
    expect(quota['reserved_bytes']).toBeLessThanOrEqual(brokenOff);
    expect(quota['used_bytes']! + quota['reserved_bytes']!).toBeLessThanOrEqual(5 * 2 ** 20);
    const recount = await curl(`/api/v1/projects/${project(client)}/quota/recount`, '--request', 'POST');
    expect(JSON.parse(recount)).toMatchObject({ corrected: false });
  }

  test.skipIf(lacks('docker', 'dockerd', rootRights))('docker', async () => {
    await using docker = await startDocker(workspace);
    await docker.login(hub);
    const image = `${hub.host}/${project('docker')}/app`;
    for (const [tag, sizes] of Object.entries({ fits: [2, 1], large: [60, 1], many: [2, 2, 2] })) {
      await docker.run('build', '--tag', `${image}:${tag}`, await writeBuildContext(`${workspace.path}/${tag}`, sizes));
    }
    await docker.run('push', `${image}:fits`);
    for (const tag of ['large', 'many']) {
      await expect(docker.run('push', `${image}:${tag}`)).rejects.toThrow(full('docker'));
      await expect(docker.run('push', `${image}:${tag}`)).rejects.toThrow(/denied: Project/);
      await expectNothingInFlight('docker', 5 * 2 ** 20);
    }
  });

  test.skipIf(lacks('podman', 'crun'))('podman', async () => {
    const podman = await makePodman(workspace);
    await podman.login(hub);
    const image = `${hub.host}/${project('podman')}/app:large`;
    await podman.run('build', '--layers', '--tag', image, await writeBuildContext(`${workspace.path}/podman`, [60, 1]));
    await expect(podman.run('push', '--tls-verify=false', image)).rejects.toThrow(full('podman'));
    await expectNothingInFlight('podman', 5 * 2 ** 20);
  });

  test.skipIf(lacks('skopeo', 'crane'))('skopeo and crane', async () => {
    const [skopeo, crane] = [await makeSkopeo(workspace), await makeCrane(workspace)];
    await Promise.all([skopeo.login(hub), crane.login(hub)]);
    await writeRandomFile(join(workspace.path, 'layer'), 60);
    await run('tar', ['-cf', join(workspace.path, 'layer.tar'), '-C', workspace.path, 'layer']);
    const layer = ['--new_layer', join(workspace.path, 'layer.tar')];
    const crowded = `${hub.host}/${project('crane')}/app:1`;
    await expect(crane.run('append', ...layer, '--new_tag', crowded)).rejects.toThrow(full('crane'));
    await expectNothingInFlight('crane');
    await crane.run('append', ...layer, '--new_tag', `${hub.host}/roomy/app:1`);
    const layout = join(workspace.path, 'layout');
    await crane.run('pull', '--format=oci', `${hub.host}/roomy/app:1`, layout);
    const copy = [
      'copy',
      '--dest-tls-verify=false',
      `oci:${layout}`,
      `docker://${hub.host}/${project('skopeo')}/app:1`,
    ];
    await expect(skopeo.run(...copy)).rejects.toThrow(full('skopeo'));
    await expectNothingInFlight('skopeo');
  });

  test.skipIf(lacks('oras'))('oras', async () => {
    const oras = await makeOras(workspace);
    await oras.login(hub);
    await writeRandomFile(join(workspace.path, 'file.bin'), 60);
    const reference = `${hub.host}/${project('oras')}/app:1`;
    await expect(oras.push(reference, workspace.path, ['file.bin'])).rejects.toThrow(full('oras'));
    await expectNothingInFlight('oras');
  });

  test('curl, at /files', async () => {
    await writeRandomFile(join(workspace.path, 'large.bin'), 60);
    await writeRandomFile(join(workspace.path, 'small.bin'), 1);
    const at = (name: string) => `/files/${project('curl')}/tools:1.0/${name}`;
    const send = (name: string, ...flags: string[]) =>
      curl(at(name), ...flags, '--upload-file', join(workspace.path, name));
    await expect(send('large.bin')).rejects.toThrow(full('curl'));
    await expect(send('large.bin', '--header', 'Transfer-Encoding: chunked')).rejects.toThrow(full('curl'));
    await send('small.bin');
    await expectNothingInFlight('curl');
  });

  for (const release of releases) {
    test.skipIf(lacks(release))(`push by ${release}`, async () => {
      const helm = await makeHelm(workspace, release);
      await helm.login(hub);
      const folder = await workspace.folder(`${release}-chart`);
      await helm.run('create', join(folder, 'web'));
      // They do not compress.
      for (let at = 0; at < 6; at++) await writeRandomFile(join(folder, 'web', `noise-${at}.bin`), 1);
      await helm.run('package', join(folder, 'web'), '--destination', folder);
      const packed = join(folder, 'web-0.1.0.tgz');
      // What 3.8 is made of shows the status alone.
      const said = release === 'helm-3.8' ? /403 Forbidden/ : full(release);
      await expect(helm.oci('push', packed, `oci://${hub.host}/${project(release)}/charts`)).rejects.toThrow(said);
      const upload = curl(`/charts/${project(release)}/charts/api/charts`, '--data-binary', `@${packed}`);
      await expect(upload).rejects.toThrow(full(release));
      await expectNothingInFlight(release);
    });
  }
});
