import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { archiveOf, type Chart, makeSigner, packageChart, type Signer, writeChart } from './charts.ts';
import { lacks } from './clients/client.ts';
import { makeCurl } from './clients/curl.ts';
import { credentials, type Helm, makeHelm, releases } from './clients/helm.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks(...releases, 'helm-cm-push', 'gpg', 'curl')).for(releases)('%s and a repository', (release) => {
  const hub = inject('hub');
  const namespace = `${release.replace('.', '-')}-repo/stable`;
  const url = `${hub.url}/charts/${namespace}`;
  const curl = makeCurl(hub);
  let workspace: Workspace;
  let helm: Helm;
  let signer: Signer;

  beforeAll(async () => {
    workspace = await makeWorkspace(release);
    [helm, signer] = await Promise.all([makeHelm(workspace, release), makeSigner(workspace)]);
    await helm.login(hub);
    await upload({ name: 'web', version: '1.2.3', more: { appVersion: '7' } });
    await helm.run('repo', 'add', 'hub', url, ...credentials(hub));
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const pack = async (chart: Chart, by?: Signer) =>
    packageChart(helm, await workspace.folder(`made-${chart.name}`), chart, by);

  async function upload(chart: Chart): Promise<string> {
    const archive = await pack(chart);
    expect(await curl(`/charts/${namespace}/api/charts`, '--data-binary', `@${archive}`)).toBe('{"saved":true}');
    return archive;
  }

  /** What `helm search repo` finds in the index that was fetched last. */
  async function search(...flags: string[]): Promise<{ name: string; version: string }[]> {
    const found = await helm.run('search', 'repo', ...flags, '--output', 'json');
    return (JSON.parse(found) as { name: string; version: string }[]).map(({ name, version }) => ({ name, version }));
  }

  test('refuses a wrong password', async () => {
    // Not the administrator's name: after a few wrong passwords a name has to wait, and other tests use that one.
    const wrong = credentials({ ...hub, user: release, password: 'wrong' });
    await expect(helm.run('repo', 'add', 'other', url, ...wrong)).rejects.toThrow(/401 Unauthorized/);
  });

  test('finds what was pushed by either door, as soon as it asks again', async () => {
    await helm.oci('push', await pack({ name: 'web', version: '1.10.0' }), `oci://${hub.host}/${namespace}`);
    await upload({ name: 'web', version: '2.0.0-rc.1' });
    await helm.run('repo', 'update');
    const name = 'hub/web';
    expect(await search(name)).toEqual([{ name, version: '1.10.0' }]);
    expect(await search(name, '--devel', '--versions')).toEqual(
      ['2.0.0-rc.1', '1.10.0', '1.2.3'].map((version) => ({ name, version })),
    );
  });

  test('shows and installs by range', async () => {
    expect(await helm.run('show', 'chart', 'hub/web', '--version', '1.2.3')).toMatch(/^appVersion: "7"$/m);
    expect(await helm.run('show', 'readme', 'hub/web')).toContain('# web');
    expect(await helm.install('hub/web', '--version', '<1.10')).toContain('chart: web 1.2.3');
    const directly = ['--repo', url, ...credentials(hub), '--version', '1.2.3'];
    expect(await helm.install('web', ...directly)).toContain('chart: web 1.2.3');
  });

  test('fetches dependencies from the repository and from the OCI door in one go', async () => {
    await upload({ name: 'database', version: '4.2.0' });
    await upload({ name: 'cache', version: '0.5.0+build.1' });
    await helm.run('repo', 'update');
    const dependencies = [
      { name: 'database', version: '^4.0.0', repository: '@hub' },
      { name: 'cache', version: '0.5.0+build.1', repository: url },
      { name: 'web', version: '1.2.3', repository: `oci://${hub.host}/${namespace}` },
    ];
    const shop = await writeChart(workspace.path, { name: 'shop', version: '1.0.0', more: { dependencies } });
    await helm.updateDependencies(shop);
    for (const [name, version] of Object.entries({ database: '4.2.0', cache: '0.5.0+build.1', web: '1.2.3' })) {
      const file = archiveOf({ name, version });
      const fetched = await readFile(join(shop, 'charts', file));
      expect(fetched.equals(await readFile(join(workspace.path, `made-${name}`, file))), file).toBe(true);
    }
  });

  test('cm-push finds the way from the index: by name, by address, with another version, and by force', async () => {
    const pushed: Chart = { name: 'pushed', version: '0.1.0' };
    const archive = await pack(pushed);
    expect(await helm.run('cm-push', archive, 'hub')).toContain('Done.');
    const source = await writeChart(workspace.path, { ...pushed, more: { home: 'https://other.example' } });
    await expect(helm.run('cm-push', source, 'hub')).rejects.toThrow(/409.*already exists/);
    await helm.run('cm-push', source, url, ...credentials(hub), '--version', '0.2.0');
    await helm.run('cm-push', source, 'hub', '--force');
    await helm.run('repo', 'update');
    expect((await search('hub/pushed', '--versions')).map(({ version }) => version)).toEqual(['0.2.0', '0.1.0']);
    expect(await helm.run('show', 'chart', 'hub/pushed', '--version', '0.1.0')).toContain('https://other.example');
  });

  test('curl adds the provenance of a chart that is there already, and helm verifies it', async () => {
    const chart = { name: 'late', version: '3.0.0' };
    const archive = await pack(chart, signer);
    await curl(`/charts/${namespace}/api/charts`, '--form', `chart=@${archive}`);
    await curl(`/charts/${namespace}/api/prov`, '--data-binary', `@${archive}.prov`);
    const target = await workspace.folder('verified');
    const verification = ['--verify', '--keyring', signer.keyring, '--destination', target];
    await helm.run('pull', 'late', '--repo', url, ...credentials(hub), '--version', '3.0.0', ...verification);
    await helm.oci('pull', `oci://${hub.host}/${namespace}/late`, '--version', '3.0.0', ...verification);
  });

  test('what is deleted by the API of ChartMuseum is gone from both doors', async () => {
    await upload({ name: 'gone', version: '1.0.0' });
    await upload({ name: 'gone', version: '1.0.1' });
    const versions = await curl(`/charts/${namespace}/api/charts/gone`);
    expect(JSON.parse(versions)).toMatchObject([{ version: '1.0.1' }, { version: '1.0.0' }]);
    expect(await curl(`/charts/${namespace}/api/charts/gone/1.0.1`, '--request', 'DELETE')).toBe('{"deleted":true}');
    await helm.run('repo', 'update');
    expect(await search('hub/gone')).toEqual([{ name: 'hub/gone', version: '1.0.0' }]);
    expect(await helm.oci('show', 'chart', `oci://${hub.host}/${namespace}/gone`)).toContain('version: 1.0.0');
    await expect(helm.run('pull', 'hub/gone', '--version', '1.0.1')).rejects.toThrow(/not found/);
    await expect(curl(`/charts/${namespace}/gone-1.0.1.tgz`)).rejects.toThrow(/404/);
  });
});
