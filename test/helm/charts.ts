/** Charts made for tests: packed as `helm package` packs them, or in ways that it never would. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { stringify } from 'yaml';
import { blob, type Repo } from '../harness/oci-client.ts';

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
  /** Chart.yaml, its fields in helm's order as far as tests that compare them need it. */
  readonly metadata: Record<string, unknown>;
}

const VALUES = '# How many.\nreplicas: 2\nimage:\n  repository: registry.example/web # ours\n  tag: ""\n';

export async function chart(options: ChartOptions = {}): Promise<PackedChart> {
  const { name = 'web', version = '1.2.3', metadata = {}, files = {}, at = new Date('2026-01-02T03:04:05Z') } = options;
  const document = { name, home: undefined, version, ...metadata, apiVersion: 'v2' };
  const entries = {
    'Chart.yaml': stringify(document),
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
    metadata: document,
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

/** Pushes as helm does (pkg/registry/client.go): blobs, then a manifest with sorted layers and annotations. */
export async function pushWithHelm(
  repo: Repo,
  packed: PackedChart,
  options: { readonly tag?: string; readonly prov?: Buffer; readonly config?: Record<string, unknown> } = {},
): Promise<void> {
  const { metadata } = packed;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const config = Buffer.from(escaped(options.config ?? metadata));
  const parts = [
    { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', bytes: packed.bytes },
    ...(options.prov ? [{ mediaType: 'application/vnd.cncf.helm.chart.provenance.v1.prov', bytes: options.prov }] : []),
  ];
  for (const bytes of [config, ...parts.map((part) => part.bytes)]) await repo.mustPush(blob(bytes));
  const maintainers = (metadata['maintainers'] ?? []) as { name?: string; email?: string }[];
  const annotations = {
    authors: maintainers.map(({ name, email }) => `${name} (${email})`).join(', '),
    created: '2026-01-02T03:04:05Z',
    description: text(metadata['description']),
    title: packed.name,
    url: text(metadata['home']),
    version: packed.version,
  };
  const document = {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...descriptor(config) },
    layers: parts
      .map(({ mediaType, bytes }) => ({ mediaType, ...descriptor(bytes) }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    annotations: Object.fromEntries(
      Object.entries(annotations)
        .filter(([, value]) => value !== '')
        .map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
    ),
  };
  const bytes = Buffer.from(escaped(document));
  const pushed = { bytes, ...descriptor(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json' };
  await repo.mustPut(pushed, options.tag ?? packed.version.replaceAll('+', '_'));
}

function descriptor(bytes: Buffer): { digest: string; size: number } {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}

function escaped(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}
