import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import type { Helm } from './clients/helm.ts';
import type { Workspace } from './workspace.ts';

export interface Chart {
  readonly name: string;
  readonly version: string;
  /** More of Chart.yaml. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Someone who signs charts: a key pair in the form that helm reads. */
export interface Signer {
  readonly flags: readonly string[];
  /** For `helm verify`. */
  readonly keyring: string;
}

/** Writes a chart whose only manifest says which release, version and greeting it was rendered with. */
export async function writeChart(folder: string, { name, version, more = {} }: Chart): Promise<string> {
  const chart = join(folder, `${name}-${version}`);
  await mkdir(join(chart, 'templates'), { recursive: true });
  const about = { apiVersion: 'v2', name, version, description: `The chart ${name}`, ...more };
  await writeFile(join(chart, 'Chart.yaml'), JSON.stringify(about));
  await writeFile(join(chart, 'values.yaml'), '# What it says\ngreeting: hello\n');
  await writeFile(join(chart, 'README.md'), `# ${name}\n`);
  await writeFile(
    join(chart, 'templates/config-map.yaml'),
    [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata:',
      '  name: {{ .Release.Name }}',
      'data:',
      '  chart: {{ .Chart.Name }} {{ .Chart.Version }}',
      '  greeting: {{ .Values.greeting }}',
      '',
    ].join('\n'),
  );
  return chart;
}

/** Packages a chart with helm, signed or not, and answers the archive's path. The provenance lies beside it. */
export async function packageChart(helm: Helm, folder: string, chart: Chart, signer?: Signer): Promise<string> {
  const source = await writeChart(folder, chart);
  const signing = signer === undefined ? [] : ['--sign', ...signer.flags];
  await helm.run('package', source, '--destination', folder, ...signing);
  return join(folder, archiveOf(chart));
}

export function archiveOf({ name, version }: Chart): string {
  return `${name}-${version}.tgz`;
}

/** A key without a passphrase, exported to the keyring files of old: helm does not read gpg's own. */
export async function makeSigner(workspace: Workspace): Promise<Signer> {
  const home = await workspace.folder('gnupg');
  const gpg = (...args: string[]) => run('gpg', ['--batch', ...args], { env: { GNUPGHOME: home } });
  const [secret, keyring] = [join(home, 'secret.gpg'), join(home, 'public.gpg')];
  try {
    await gpg('--passphrase', '', '--quick-generate-key', 'Berth Acceptance', 'rsa2048');
    await gpg('--output', secret, '--export-secret-keys');
    await gpg('--output', keyring, '--export');
  } finally {
    await run('gpgconf', ['--kill', 'all'], { env: { GNUPGHOME: home } });
  }
  return { flags: ['--key', 'Berth Acceptance', '--keyring', secret], keyring };
}
