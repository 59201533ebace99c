import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { archiveOf, type Chart, makeSigner, packageChart, type Signer, writeChart } from './charts.ts';
import { lacks } from './clients/client.ts';
import { type Helm, makeHelm, releases } from './clients/helm.ts';
import { type Manifest, read } from './registry.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe.skipIf(lacks(...releases, 'gpg')).for(releases)('%s and the OCI door', (release) => {
  const hub = inject('hub');
  const namespace = `${release.replace('.', '-')}/team/charts`;
  const remote = `oci://${hub.host}/${namespace}`;
  let workspace: Workspace;
  let helm: Helm;
  let signer: Signer;

  beforeAll(async () => {
    workspace = await makeWorkspace(release);
    [helm, signer] = await Promise.all([makeHelm(workspace, release), makeSigner(workspace)]);
    await helm.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  /** Packages a chart and pushes it; answers the archive's path. */
  async function push(chart: Chart, by?: Signer): Promise<string> {
    const archive = await packageChart(helm, await workspace.folder('source'), chart, by);
    await helm.oci('push', archive, remote);
    return archive;
  }

  test('refuses a wrong password', async () => {
    // Not the administrator's name: after a few wrong passwords a name has to wait, and other tests use that one.
    await expect(helm.login({ ...hub, user: release, password: 'wrong' })).rejects.toThrow(/unauthorized|401/i);
    await helm.login(hub);
  });

  test('pushes a chart, shows what is in it, and installs it as a dry run', async () => {
    await push({ name: 'web', version: '1.2.3', more: { appVersion: '7' } });
    await push({ name: 'web', version: '1.3.0' });
    await push({ name: 'web', version: '2.0.0-rc.1' });

    const chart = `${remote}/web`;
    expect(await helm.oci('show', 'chart', chart, '--version', '1.2.3')).toMatch(/^appVersion: "7"$/m);
    expect(await helm.oci('show', 'values', chart)).toContain('# What it says\ngreeting: hello');
    expect(await helm.oci('show', 'readme', chart)).toContain('# web');
    // Without a version: the highest one that is no pre-release.
    expect(await helm.install(chart, '--set', 'greeting=aye')).toMatch(/chart: web 1\.3\.0\n {2}greeting: aye/);
    expect(await helm.install(chart, '--version', '~1.2')).toContain('chart: web 1.2.3');
    expect(await helm.install(chart, '--version', '>1-0')).toContain('chart: web 2.0.0-rc.1');
  });

  test('keeps build metadata, which a tag has to spell with an underscore', async () => {
    await push({ name: 'meta', version: '1.2.3+build.5' });
    expect(await read(hub, `${namespace}/meta`, 'tags/list')).toMatchObject({ tags: ['1.2.3_build.5'] });
    expect(await helm.install(`${remote}/meta`, '--version', '1.2.3+build.5')).toContain('chart: meta 1.2.3+build.5');
  });

  test('gives back the provenance of a signed chart, and it verifies', async () => {
    const archive = await push({ name: 'signed', version: '0.1.0' }, signer);
    const manifest = await read<Manifest>(hub, `${namespace}/signed`, 'manifests/0.1.0');
    expect(manifest.layers?.map(({ mediaType }) => mediaType).toSorted()).toEqual([
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      'application/vnd.cncf.helm.chart.provenance.v1.prov',
    ]);

    const target = await workspace.folder('pulled');
    await helm.oci('pull', `${remote}/signed`, '--version', '0.1.0', '--prov', '--destination', target);
    const received = join(target, basename(archive));
    for (const end of ['', '.prov']) {
      const [sent, came] = [await readFile(`${archive}${end}`), await readFile(`${received}${end}`)];
      expect(came.equals(sent), `${archive}${end} came back as it was`).toBe(true);
    }
    expect(await helm.run('verify', '--keyring', signer.keyring, received)).toContain('Berth Acceptance');
  });

  test('fetches the dependencies of a chart', async () => {
    await push({ name: 'database', version: '4.0.1' });
    await push({ name: 'database', version: '4.2.0' });
    const dependencies = [{ name: 'database', version: '^4.0.0', repository: remote }];
    const shop = await writeChart(workspace.path, { name: 'shop', version: '1.0.0', more: { dependencies } });
    await helm.updateDependencies(shop);
    const fetched = await readFile(join(shop, 'charts', archiveOf({ name: 'database', version: '4.2.0' })));
    expect(fetched.equals(await readFile(join(workspace.path, 'source', 'database-4.2.0.tgz')))).toBe(true);
  });
});
