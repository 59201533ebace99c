/** Charts made for tests: packed as `helm package` packs them, or in ways that it never would. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { stringify } from 'yaml';

export interface ChartOptions {
  readonly name?: string;
  readonly version?: string;
  /** Of Chart.yaml, besides. */
  readonly metadata?: Record<string, unknown>;
  /** By path inside the chart, besides. */
  readonly files?: Record<string, string | Buffer>;
  readonly at?: Date;
}

export interface PackedChart {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

const VALUES = '# How many.\nreplicas: 2\nimage:\n  repository: registry.example/web # ours\n  tag: ""\n';

export async function chart(options: ChartOptions = {}): Promise<PackedChart> {
  const { name = 'web', version = '1.2.3', metadata = {}, files = {}, at = new Date('2026-01-02T03:04:05Z') } = options;
  const entries = {
    'Chart.yaml': stringify({ apiVersion: 'v2', name, version, ...metadata }),
    'values.yaml': VALUES,
    'templates/service.yaml': 'kind: Service\nmetadata: { name: {{ .Release.Name }} }\n',
    ...files,
  };
  const bytes = await tgz(
    Object.entries(entries).map(([path, content]) => ({ name: `${name}/${path}`, content, mtime: at })),
  );
  return {
    name,
    version,
    file: `${name}-${version}.tgz`,
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

export type Entry = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const out = pack();
  for (const { content = '', ...header } of entries) out.entry({ mtime: new Date(0), ...header }, content);
  out.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of out) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function tgz(entries: readonly Entry[]): Promise<Buffer> {
  return gzipSync(await tar(entries));
}

/** What `helm package --sign` writes, but for the signature, which nobody here reads. */
export function provenance(of: PackedChart, changes: { file?: string; sha256?: string } = {}): Buffer {
  const { file = of.file, sha256 = of.sha256 } = changes;
  return Buffer.from(
    [
      '-----BEGIN PGP SIGNED MESSAGE-----',
      'Hash: SHA512',
      '',
      'apiVersion: v2',
      'keywords:',
      '- - a',
      `name: ${of.name}`,
      `version: ${of.version}`,
      '',
      '...',
      'files:',
      `  ${file}: sha256:${sha256}`,
      '-----BEGIN PGP SIGNATURE-----',
      '',
      `not a signature ${Math.random()}`,
      '-----END PGP SIGNATURE-----',
      '',
    ].join('\n'),
  );
}
