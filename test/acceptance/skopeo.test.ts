import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeBuildah } from './clients/buildah.ts';
import { type Client, lacks } from './clients/client.ts';
import { makeSkopeo } from './clients/skopeo.ts';
import { writeBuildContext } from './layers.ts';
import type { Manifest } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks('skopeo', 'buildah'))('skopeo and buildah', () => {
  const hub = inject('hub');
  const plainHttp = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  let workspace: Workspace;
  let skopeo: Client;
  let buildah: Client;

  beforeAll(async () => {
    workspace = await makeWorkspace('skopeo');
    [skopeo, buildah] = await Promise.all([makeSkopeo(workspace), makeBuildah(workspace)]);
    await Promise.all([skopeo.login(hub), buildah.login(hub)]);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  /** Builds an image for two platforms and answers the layout on disk that holds both. */
  async function buildForTwoPlatforms(name: string, layersMiB: readonly number[]): Promise<string> {
    const context = await writeBuildContext(`${workspace.path}/${name}`, layersMiB);
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      // Cached layers would give the second platform the first one's image.
      const flags = ['--layers', '--no-cache', `--platform=${platform}`, '--manifest', name];
      await buildah.run('build', ...flags, context);
    }
    const layout = `oci:${workspace.path}/${name}-layout:1`;
    await buildah.run('manifest', 'push', '--all', name, layout);
    return layout;
  }

  const rawManifest = (image: string) => skopeo.run('inspect', '--raw', '--tls-verify=false', image);

  test('refuses a wrong password', async () => {
    await expect(skopeo.login({ ...hub, password: 'wrong' })).rejects.toThrow(/invalid username|unauthorized/i);
    await skopeo.login(hub);
  });

  test('copies every platform of an image of 300 MB in, and the same bytes out', async () => {
    const layout = await buildForTwoPlatforms('multi', [75, 50, 26]);
    const remote = `docker://${hub.host}/skopeo/team/multi:1`;
    await skopeo.run('copy', '--all', '--preserve-digests', ...plainHttp, layout, remote);

    const pulled = `oci:${workspace.path}/pulled:1`;
    await skopeo.run('copy', '--all', '--preserve-digests', ...plainHttp, remote, pulled);
    expect(await rawManifest(pulled)).toBe(await rawManifest(layout));
    expect(await rawManifest(remote)).toBe(await rawManifest(layout));

    const index = JSON.parse(await rawManifest(remote)) as Manifest;
    expect(index.manifests).toHaveLength(2);
    expect(await skopeo.run('list-tags', '--tls-verify=false', `docker://${hub.host}/skopeo/team/multi`)).toContain(
      '"1"',
    );
  });

  test('picks one platform out of an index that buildah pushed', async () => {
    await buildForTwoPlatforms('small', [2, 1]);
    const remote = `docker://${hub.host}/skopeo/team/small:1`;
    await buildah.run('manifest', 'push', '--all', '--tls-verify=false', 'small', remote);

    const inspected = await skopeo.run('inspect', '--override-arch=arm64', '--tls-verify=false', remote);
    expect(JSON.parse(inspected)).toMatchObject({ Architecture: 'arm64', Os: 'linux' });
    await buildah.run('rmi', '--all', '--force');
    await buildah.run('pull', '--tls-verify=false', '--arch=arm64', `${hub.host}/skopeo/team/small:1`);
  });

  test('copies between two repositories and deletes', async () => {
    const context = await writeBuildContext(`${workspace.path}/one`, [1, 1]);
    await buildah.run('build', '--layers', '--tag', 'one', context);
    const from = `docker://${hub.host}/skopeo/from:1`;
    const to = `docker://${hub.host}/skopeo/to:1`;
    await buildah.run('push', '--tls-verify=false', 'one', from);

    await skopeo.run('copy', ...plainHttp, from, to);
    expect(await rawManifest(to)).toBe(await rawManifest(from));
    await skopeo.run('delete', '--tls-verify=false', to);
    await expect(rawManifest(to)).rejects.toThrow(/manifest unknown/i);
    await rawManifest(from);
  });
});
