/** Things to push: blobs with random bytes, and the documents that describe them (OCI image-spec 1.1). */
import { createHash, randomBytes } from 'node:crypto';

export type Algorithm = 'sha256' | 'sha512';

export const MEDIA = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  foreign: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeign: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

export interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly size: number;
}

export interface Manifest extends Blob {
  readonly mediaType: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [more: string]: unknown;
}

export interface Image {
  readonly manifest: Manifest;
  /** Everything that has to be there before the manifest. */
  readonly blobs: readonly Blob[];
}

export function digestOf(bytes: Buffer | string, algorithm: Algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** A blob with the given bytes, or with that many random ones. */
export function blob(content: number | Buffer | string = 1_000, algorithm: Algorithm = 'sha256'): Blob {
  const bytes = typeof content === 'number' ? randomBytes(content) : Buffer.from(content);
  return { bytes, size: bytes.length, digest: digestOf(bytes, algorithm) };
}

/** The digest of nothing anyone has. */
export function unknownDigest(algorithm: Algorithm = 'sha256'): string {
  return digestOf(randomBytes(32), algorithm);
}

/** A word that no other test uses. */
export function unique(prefix = 'x'): string {
  return `${prefix}${randomBytes(6).toString('hex')}`;
}

export const EMPTY_JSON: Blob = blob('{}');

export function describe(content: Blob, mediaType?: string, more: Record<string, unknown> = {}): Descriptor {
  const type = mediaType ?? (content as Manifest).mediaType ?? 'application/octet-stream';
  return { mediaType: type, digest: content.digest, size: content.size, ...more };
}

/** The document as bytes, with whitespace that no serialiser would make again. */
export function manifest(document: object, mediaType?: string, algorithm: Algorithm = 'sha256'): Manifest {
  const bytes = Buffer.from(`${JSON.stringify(document, null, 3)}\n`);
  const type = mediaType ?? (document as { mediaType?: string }).mediaType ?? MEDIA.manifest;
  return { bytes, size: bytes.length, digest: digestOf(bytes, algorithm), mediaType: type };
}

export interface ImageOptions {
  readonly layers?: readonly (number | Buffer)[];
  readonly docker?: boolean;
  readonly algorithm?: Algorithm;
  readonly annotations?: Record<string, string>;
  readonly subject?: Blob;
  /** Fields that replace or join those of the document. */
  readonly extra?: Record<string, unknown>;
}

export function image(options: ImageOptions = {}): Image {
  const algorithm = options.algorithm ?? 'sha256';
  const layers = (options.layers ?? [2_000, 500]).map((layer) => blob(layer, algorithm));
  const config = blob(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-01T00:00:00Z',
      config: { Labels: { test: unique() } },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    }),
    algorithm,
  );
  const type = options.docker ? MEDIA.dockerManifest : MEDIA.manifest;
  const document = {
    schemaVersion: 2,
    mediaType: type,
    config: describe(config, options.docker ? MEDIA.dockerConfig : MEDIA.config),
    layers: layers.map((layer) => describe(layer, options.docker ? MEDIA.dockerLayer : MEDIA.layer)),
    ...(options.subject ? { subject: describe(options.subject, MEDIA.manifest) } : {}),
    ...(options.annotations ? { annotations: options.annotations } : {}),
    ...options.extra,
  };
  return { manifest: manifest(document, type, algorithm), blobs: [config, ...layers] };
}

export interface IndexOptions {
  readonly docker?: boolean;
  readonly algorithm?: Algorithm;
  readonly extra?: Record<string, unknown>;
}

/** An index over manifests, with a platform for each. */
export function index(children: readonly Manifest[], options: IndexOptions = {}): Manifest {
  const type = options.docker ? MEDIA.dockerList : MEDIA.index;
  const platforms = ['amd64', 'arm64', 's390x', 'ppc64le', 'riscv64'];
  const document = {
    schemaVersion: 2,
    mediaType: type,
    manifests: children.map((child, at) =>
      describe(child, child.mediaType, { platform: { architecture: platforms[at % platforms.length], os: 'linux' } }),
    ),
    ...options.extra,
  };
  return manifest(document, type, options.algorithm);
}

export interface ArtifactOptions {
  readonly artifactType?: string;
  readonly subject?: Blob;
  readonly annotations?: Record<string, string>;
  readonly config?: Descriptor;
  readonly layers?: readonly (number | Buffer)[];
  readonly algorithm?: Algorithm;
}

/** What is not an image: an SBOM, a signature. Without layers it carries the empty descriptor, as the image-spec says. */
export function artifact(options: ArtifactOptions = {}): Image {
  const layers = (options.layers ?? []).map((layer) => blob(layer, options.algorithm));
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    ...(options.artifactType === undefined ? {} : { artifactType: options.artifactType }),
    config: options.config ?? describe(EMPTY_JSON, MEDIA.empty),
    layers:
      layers.length === 0 ? [describe(EMPTY_JSON, MEDIA.empty)] : layers.map((layer) => describe(layer, MEDIA.layer)),
    ...(options.subject ? { subject: describe(options.subject, MEDIA.manifest) } : {}),
    annotations: { 'org.example.nonce': unique(), ...options.annotations },
  };
  return { manifest: manifest(document, MEDIA.manifest, options.algorithm), blobs: [EMPTY_JSON, ...layers] };
}
