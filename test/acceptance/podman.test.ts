import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks } from './clients/client.ts';
import { makePodman } from './clients/podman.ts';
import { writeBuildContext } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('podman', 'crun'))('podman', () => {
  const hub = inject('hub');
  const image = `${hub.host}/podman/team/app`;
  let workspace: Workspace;
  let podman: Client;

  beforeAll(async () => {
    workspace = await makeWorkspace('podman');
    podman = await makePodman(workspace);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const idOf = (tag: string) => podman.run('image', 'inspect', '--format={{.Id}}', `${image}:${tag}`);

  test('refuses a wrong password', async () => {
    await expect(podman.login({ ...hub, password: 'wrong' })).rejects.toThrow(/invalid username|unauthorized/i);
  });

  test('pushes an image of 300 MB, removes it, and pulls the same one', async () => {
    const context = await writeBuildContext(`${workspace.path}/context`, [120, 100, 80, 1]);
    await podman.login(hub);
    await podman.run('build', '--layers', '--tag', `${image}:1.0`, context);
    const id = await idOf('1.0');

    await podman.run('push', '--tls-verify=false', `${image}:1.0`);
    await podman.run('rmi', '--all', '--force');
    expect(await podman.run('images', '--all', '--quiet')).toBe('');

    await podman.run('pull', '--tls-verify=false', `${image}:1.0`);
    expect(await idOf('1.0')).toBe(id);
  });

  test('pushes layers compressed with zstd and pulls the same image', async () => {
    const context = await writeBuildContext(`${workspace.path}/small`, [2, 1]);
    await podman.login(hub);
    await podman.run('build', '--layers', '--tag', `${image}:zstd`, context);
    const id = await idOf('zstd');

    await podman.run('push', '--tls-verify=false', '--format=oci', '--compression-format=zstd', `${image}:zstd`);
    await podman.run('rmi', '--all', '--force');
    await podman.run('pull', '--tls-verify=false', `${image}:zstd`);
    expect(await idOf('zstd')).toBe(id);
  });
});
