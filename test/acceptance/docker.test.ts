import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Client, lacks, rootRights } from './clients/client.ts';
import { startDocker } from './clients/docker.ts';
import { writeBuildContext } from './layers.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('docker', 'dockerd', rootRights))('docker', () => {
  const hub = inject('hub');
  let workspace: Workspace;
  let docker: Client & AsyncDisposable;

  beforeAll(async () => {
    workspace = await makeWorkspace('docker');
    docker = await startDocker(workspace);
  });
  afterAll(async () => {
    await docker?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
  });

  test('refuses a wrong password', async () => {
    await expect(docker.login({ ...hub, password: 'wrong' })).rejects.toThrow(/unauthorized|incorrect|denied/i);
  });

  test('pushes an image of 300 MB, removes it, and pulls the same one', async () => {
    const image = `${hub.host}/docker/team/app:1.0`;
    const context = await writeBuildContext(`${workspace.path}/context`, [120, 100, 80, 1]);
    await docker.login(hub);
    await docker.run('build', '--tag', image, context);
    const built = await docker.run('image', 'inspect', '--format={{.Id}} {{len .RootFS.Layers}}', image);
    expect(built).toMatch(/^sha256:[0-9a-f]{64} 4$/);

    const pushed = await docker.run('push', image);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1];
    await docker.run('rmi', image);
    await docker.run('builder', 'prune', '--all', '--force');
    expect(await docker.run('images', '--all', '--quiet')).toBe('');

    await docker.run('pull', image);
    expect(await docker.run('image', 'inspect', '--format={{.Id}} {{len .RootFS.Layers}}', image)).toBe(built);
    expect(await docker.run('image', 'inspect', '--format={{index .RepoDigests 0}}', image)).toBe(
      `${hub.host}/docker/team/app@${digest}`,
    );
  });

  test('pushes a second tag and a second repository without sending the layers again', async () => {
    const image = `${hub.host}/docker/team/app`;
    const context = await writeBuildContext(`${workspace.path}/small`, [2, 1]);
    await docker.login(hub);
    await docker.run('build', '--tag', `${image}:small`, context);
    await docker.run('push', `${image}:small`);

    await docker.run('tag', `${image}:small`, `${image}:again`);
    expect(await docker.run('push', `${image}:again`)).toContain('Layer already exists');
    await docker.run('tag', `${image}:small`, `${hub.host}/docker/copy:small`);
    expect(await docker.run('push', `${hub.host}/docker/copy:small`)).toContain('Mounted from docker/team/app');
  });

  test('is told why an immutable tag does not move', async () => {
    const image = `${hub.host}/docker/team/app:fixed-1`;
    await docker.login(hub);
    for (const megabytes of [1, 2]) {
      const context = await writeBuildContext(`${workspace.path}/fixed-${megabytes}`, [megabytes]);
      await docker.run('build', '--tag', image, context);
      if (megabytes === 1) await docker.run('push', image);
    }
    const rule = await fetch(`${hub.url}/api/v1/projects/docker/immutability`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${hub.user}:${hub.password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ tag_glob: 'fixed-*' }),
    });
    expect(rule.status).toBe(201);
    await expect(docker.run('push', image)).rejects.toThrow(
      /denied: The tag fixed-1 is immutable \(rule \d+: tags fixed-\* in /,
    );
  });
});
