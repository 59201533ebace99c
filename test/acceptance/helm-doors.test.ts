import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { archiveOf, type Chart, makeSigner, packageChart, type Signer } from './charts.ts';
import { lacks } from './clients/client.ts';
import { makeCurl } from './clients/curl.ts';
import { credentials, type Helm, makeHelm, releases } from './clients/helm.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const longest = `a${'-long-name'.repeat(6)}-z`;
const charts: readonly Chart[] = [
  { name: 'plain', version: '1.2.3' },
  // Two that differ in nothing but their build: helm must be given the one it asks for.
  { name: 'built', version: '1.2.3+build.5' },
  { name: 'built', version: '1.2.3+build.6.sha-0a1b2c' },
  { name: longest, version: '10.20.30-rc.1' },
];

describe.skipIf(lacks(...releases, 'gpg', 'curl')).for(releases)('%s, from one door to the other', (release) => {
  const hub = inject('hub');
  let workspace: Workspace;
  let helm: Helm;
  let signer: Signer;

  beforeAll(async () => {
    workspace = await makeWorkspace(release);
    [helm, signer] = await Promise.all([makeHelm(workspace, release), makeSigner(workspace)]);
    await helm.login(hub);
  });
  afterAll(() => workspace?.[Symbol.asyncDispose]());

  const pushes = {
    oci: (namespace: string, archive: string) => helm.oci('push', archive, `oci://${hub.host}/${namespace}`),
    classic: (namespace: string, archive: string, signed: boolean) => {
      const provenance = signed ? ['--form', `prov=@${archive}.prov`] : [];
      return makeCurl(hub)(`/charts/${namespace}/api/charts`, '--form', `chart=@${archive}`, ...provenance);
    },
  };

  const pulls = {
    oci: (namespace: string, { name, version }: Chart, ...flags: string[]) =>
      helm.oci('pull', `oci://${hub.host}/${namespace}/${name}`, '--version', version, ...flags),
    classic: (namespace: string, { name, version }: Chart, ...flags: string[]) => {
      const repository = ['--repo', `${hub.url}/charts/${namespace}`, ...credentials(hub)];
      return helm.run('pull', name, '--version', version, ...repository, ...flags);
    },
  };

  test.for([
    { pushed: 'oci', signed: true },
    { pushed: 'oci', signed: false },
    { pushed: 'classic', signed: true },
    { pushed: 'classic', signed: false },
  ] as const)('what came by $pushed (signed: $signed) leaves by both as it was', async ({ pushed, signed }) => {
    const about = `${pushed}-${signed ? 'signed' : 'unsigned'}`;
    const namespace = `${release.replace('.', '-')}/doors/${about}`;
    const source = await workspace.folder(about);
    for (const chart of charts) {
      const archive = await packageChart(helm, source, chart, signed ? signer : undefined);
      await pushes[pushed](namespace, archive, signed);
      for (const [door, pull] of Object.entries(pulls)) {
        const target = await workspace.folder(`${about}-by-${door}`);
        await pull(namespace, chart, '--destination', target, ...(signed ? ['--prov'] : []));
        for (const end of signed ? ['', '.prov'] : ['']) {
          const [sent, came] = [
            await readFile(`${archive}${end}`),
            await readFile(join(target, `${basename(archive)}${end}`)),
          ];
          expect(came.equals(sent), `${archiveOf(chart)}${end} came back by ${door} as it was`).toBe(true);
        }
        if (!signed) continue;
        const verdict = await helm.run('verify', '--keyring', signer.keyring, join(target, archiveOf(chart)));
        expect(verdict).toContain('Berth Acceptance');
      }
    }
  });

  test('a provenance file that belongs to other bytes is refused, and the chart with it', async () => {
    const namespace = `${release.replace('.', '-')}/doors/tampered`;
    const chart = { name: 'signed', version: '1.0.0' };
    const signed = await packageChart(helm, await workspace.folder('signed'), chart, signer);
    const other = { ...chart, more: { home: 'https://other.example' } };
    const tampered = await packageChart(helm, await workspace.folder('tampered'), other);

    const form = ['--form', `chart=@${tampered}`, '--form', `prov=@${signed}.prov`];
    await expect(makeCurl(hub)(`/charts/${namespace}/api/charts`, ...form)).rejects.toThrow(/400|"error"/);
    await expect(pulls.classic(namespace, chart)).rejects.toThrow(/404|not found/i);
    await expect(pulls.oci(namespace, chart)).rejects.toThrow(/404|not found/i);
  });
});
