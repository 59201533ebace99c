/**
 * The manifest that stands for a version's files, written and read. The same files and properties always give the same bytes
 * and so the same digest, whoever uploaded them, in whatever order.
 */
import { parseDigest, type Digest } from '../../blobs/digest.ts';
import { whyNotPath } from './path.ts';
import { FileRefusal } from './refusal.ts';
import { OCI_MANIFEST } from '../manifest.ts';
import type { ManifestFacts } from '../memory.ts';

export const FILE_ARTIFACT = 'application/vnd.berth.file.v1';
/** The config of artifacts that have none (image-spec, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as Digest,
  size: 2,
  data: 'e30=',
};
export const TITLE = 'org.opencontainers.image.title';
/** On a layer that is a folder, packed by oras. */
const UNPACK = 'io.deis.oras.content.unpack';

export const MAX_FILES = 10_000;

export interface File {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
}

export type Properties = Readonly<Record<string, string>>;

function layer(file: File): string {
  return JSON.stringify({
    mediaType: file.mediaType,
    digest: file.digest,
    size: file.size,
    annotations: { [TITLE]: file.path },
  });
}

/** What the file takes in the manifest, in bytes, with the comma. */
export function weightOf(file: File): number {
  return Buffer.byteLength(layer(file)) + 1;
}

/** What the manifest takes besides its files. */
export function weightWithout(properties: Properties): number {
  return writeManifest([], properties).length;
}

/** @param files in byte order of their paths */
export function writeManifest(files: readonly File[], properties: Properties): Buffer {
  const annotations = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  const head = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: FILE_ARTIFACT,
    config: EMPTY_CONFIG,
  }).slice(0, -1);
  const tail = annotations.length > 0 ? `,"annotations":${JSON.stringify(Object.fromEntries(annotations))}}` : '}';
  return Buffer.from(`${head},"layers":[${files.map(layer).join(',')}]${tail}`);
}

export interface FileList {
  readonly files: ReadonlyMap<string, File>;
  readonly properties: Properties;
  /** Whether a manifest of these files and properties would say all that this one says. */
  readonly plain: boolean;
}

const read = new WeakMap<object, FileList>();

/**
 * The files of any manifest: its layers, under their titles. A layer without a title, or with one that could not be a path
 * here, is called after its digest.
 * @throws {FileRefusal} NOT_FILES for an index
 */
export function filesOf(manifest: Pick<ManifestFacts, 'payload'>): FileList {
  let list = read.get(manifest);
  if (list === undefined) {
    list = readManifest(manifest.payload);
    read.set(manifest, list);
  }
  return list;
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Record<string, unknown>;
}

function readManifest(payload: Buffer): FileList {
  const document = JSON.parse(payload.toString('utf8')) as {
    layers?: Layer[] | null;
    manifests?: unknown;
    annotations?: Record<string, string> | null;
    config?: { mediaType?: unknown };
    subject?: unknown;
  };
  if (document.manifests !== undefined) {
    throw new FileRefusal('NOT_FILES', 'This version is an index of other manifests; it has no files of its own');
  }
  const files = new Map<string, File>();
  const folders = new Set<string>();
  for (const { mediaType, digest, size, annotations } of document.layers ?? []) {
    const known = parseDigest(digest);
    if (!known) continue;
    const named = titleOf(annotations);
    // Stands where an artifact has no layers, since a manifest must have one.
    if (named === undefined && mediaType === EMPTY_CONFIG.mediaType) continue;
    const path = named !== undefined && isFree(named, files, folders) ? named : unusedName(known, mediaType, files);
    files.set(path, { path, digest: known, size, mediaType });
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  const plain = !document.subject && document.config?.mediaType === EMPTY_CONFIG.mediaType;
  return { files, properties: document.annotations ?? {}, plain };
}

function titleOf(annotations: Record<string, unknown> | undefined): string | undefined {
  const title = annotations?.[TITLE];
  if (typeof title !== 'string' || whyNotPath(title) !== undefined) return undefined;
  return annotations?.[UNPACK] === 'true' ? `${title}.tar.gz` : title;
}

/** Neither a file nor a folder so far, nor inside something that is a file. */
function isFree(path: string, files: ReadonlyMap<string, File>, folders: ReadonlySet<string>): boolean {
  if (files.has(path) || folders.has(path)) return false;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (files.has(path.slice(0, at))) return false;
  }
  return true;
}

function unusedName(digest: Digest, mediaType: string, files: ReadonlyMap<string, File>): string {
  const stem = digest.replace(':', '-');
  const extension = extensionOf(mediaType);
  for (let i = 0; ; i++) {
    const name = `${stem}${i === 0 ? '' : `-${i}`}${extension}`;
    if (!files.has(name)) return name;
  }
}

function extensionOf(mediaType: string): string {
  if (/tar[.+]gzip$/.test(mediaType)) return '.tar.gz';
  if (/tar[.+]zstd$/.test(mediaType)) return '.tar.zst';
  if (/[.+/]tar$/.test(mediaType)) return '.tar';
  if (/[+/]json$/.test(mediaType)) return '.json';
  return '.bin';
}
