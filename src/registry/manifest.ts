/** What a manifest says, read from its bytes (image-spec: manifest.md, image-index.md; Docker schema 2). */
import { createHash } from 'node:crypto';
import { algorithmOf, parseDigest, type Digest } from '../blobs/digest.ts';
import { AmbiguousJson, parseStrictJson } from './json.ts';
import { kindOf, type Kind } from './kinds.ts';
import { Refusal } from './refusal.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

const IMAGES = new Set([OCI_MANIFEST, DOCKER_MANIFEST]);
const INDEXES = new Set([OCI_INDEX, DOCKER_LIST]);

/** Descriptors of one manifest; a page of references must stay a bounded piece of work. */
const MAX_DESCRIPTORS = 10_000;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface Manifest {
  readonly mediaType: string;
  readonly kind: Kind;
  readonly artifactType: string | undefined;
  readonly config: Descriptor | undefined;
  /** Blobs that must be here: config and layers that may be distributed. */
  readonly blobs: readonly Descriptor[];
  /** Layers that clients fetch elsewhere; here or not, both is fine. */
  readonly foreign: readonly Descriptor[];
  /** Entries of an index: manifests, or blobs in the cache indexes that BuildKit writes. */
  readonly children: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Record<string, string> | undefined;
}

type Json = Record<string, unknown>;

/** Looser than RFC 6838, which not everyone keeps to: printable ASCII. */
const MEDIA_TYPE = /^[\x21-\x7e]{1,255}$/;

/**
 * @param contentType of the request, which must agree with the document's own `mediaType`
 * @throws {Refusal} MANIFEST_INVALID
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined): Manifest {
  const document = parseDocument(bytes);
  const mediaType = mediaTypeOf(document, contentType);
  const isIndex = INDEXES.has(mediaType);
  if (document['schemaVersion'] !== 2) throw invalid('schemaVersion must be 2');
  const looksLikeIndex = 'manifests' in document;
  const looksLikeImage = 'config' in document || 'layers' in document;
  if ('fsLayers' in document) throw invalid('fsLayers belongs to Docker schema 1, which is not served here');
  if ((looksLikeIndex && looksLikeImage) || (isIndex ? looksLikeImage : looksLikeIndex)) {
    throw invalid(`A document of type ${mediaType} has fields of the other type; it cannot be an index and a manifest`);
  }
  const annotations = stringMap(document['annotations'], 'annotations');
  const subject = isAbsent(document['subject']) ? undefined : descriptor(document['subject'], 'subject');
  const artifactType = optionalString(document['artifactType'], 'artifactType');
  if (artifactType !== undefined && !MEDIA_TYPE.test(artifactType)) throw invalid('artifactType must be a media type');
  if (isIndex) {
    const children = descriptors(document['manifests'] ?? [], 'manifests');
    return {
      mediaType,
      kind: kindOf(mediaType, artifactType, undefined),
      artifactType,
      config: undefined,
      blobs: [],
      foreign: [],
      children,
      subject,
      annotations,
    };
  }
  const config = descriptor(document['config'], 'config');
  const layers = isAbsent(document['layers']) ? [] : descriptors(document['layers'], 'layers');
  return {
    mediaType,
    kind: kindOf(mediaType, artifactType, config.mediaType),
    // Of a manifest without one, the config's media type stands in (distribution-spec, "Listing Referrers").
    artifactType: artifactType ?? config.mediaType,
    config,
    blobs: unique([config, ...layers.filter((layer) => !isForeign(layer))]),
    foreign: unique(layers.filter(isForeign)),
    children: [],
    subject,
    annotations,
  };
}

/** Fields that some reader acts on. */
const FIELDS = new Map(
  ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'fsLayers', 'manifests', 'subject', 'annotations']
    .concat(['digest', 'size', 'data', 'urls', 'platform'])
    .map((field) => [fold(field), field]),
);

/** Go's JSON reader takes keys in any case, and folds K and ſ too; such a document would mean two things. */
function fold(key: string): string {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}

function checkSpelling(object: Json, where: string): void {
  for (const key of Object.keys(object)) {
    const field = FIELDS.get(fold(key));
    if (field !== undefined && field !== key)
      throw invalid(`${where} has a key ${JSON.stringify(key)}; write ${field}`);
  }
}

function parseDocument(bytes: Buffer): Json {
  let document: unknown;
  try {
    document = parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof AmbiguousJson) throw invalid(error.message);
    throw error;
  }
  if (!isObject(document)) throw invalid('The document is not a JSON object');
  checkSpelling(document, 'The document');
  return document;
}

function mediaTypeOf(document: Json, contentType: string | undefined): string {
  const declared = contentType?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
  const own = optionalString(document['mediaType'], 'mediaType');
  if (declared && own && declared !== own) {
    throw invalid(`Content-Type is ${declared}, but the document says mediaType ${own}; they must be equal`);
  }
  const mediaType = own ?? declared;
  if (mediaType === undefined)
    throw invalid('Neither Content-Type nor the document says what it is; send Content-Type');
  if (!IMAGES.has(mediaType) && !INDEXES.has(mediaType)) {
    throw invalid(
      `${mediaType.slice(0, 200)} is no manifest type that is served here; use OCI manifests and indexes, ` +
        'Docker schema 2 manifests or lists, and artifactType for anything else',
    );
  }
  return mediaType;
}

function descriptors(value: unknown, field: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`${field} must be an array`);
  if (value.length > MAX_DESCRIPTORS) throw invalid(`${field} has more than ${MAX_DESCRIPTORS} entries`);
  return value.map((entry, i) => descriptor(entry, `${field}[${i}]`));
}

function descriptor(value: unknown, field: string): Descriptor & { urls?: unknown } {
  if (!isObject(value)) throw invalid(`${field} must be a descriptor object`);
  checkSpelling(value, field);
  const { mediaType, digest, size, data } = value;
  if (typeof mediaType !== 'string' || !MEDIA_TYPE.test(mediaType))
    throw invalid(`${field}.mediaType must be a media type`);
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  if (!parsed) throw invalid(`${field}.digest must be sha256:<64 hex> or sha512:<128 hex>, in lower case`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`${field}.size must be a whole number of bytes`);
  }
  if (data !== undefined) checkData(data, parsed, size, field);
  return { mediaType, digest: parsed, size, ...(value['urls'] !== undefined && { urls: value['urls'] }) };
}

/** `data` repeats the content; one that differs from its digest would be believed by some clients. */
function checkData(data: unknown, digest: Digest, size: number, field: string): void {
  if (typeof data !== 'string') throw invalid(`${field}.data must be a base64 string`);
  const content = Buffer.from(data, 'base64');
  const algorithm = algorithmOf(digest);
  const actual = `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
  if (content.length !== size || actual !== digest) {
    throw invalid(`${field}.data does not decode to the content that the digest and size name`);
  }
}

/** Layers that must not, or need not, be pushed: non-distributable media types and layers with `urls`. */
function isForeign(layer: Descriptor & { urls?: unknown }): boolean {
  const urls = layer.urls;
  return /\.nondistributable\.|\.foreign\./.test(layer.mediaType) || (Array.isArray(urls) && urls.length > 0);
}

function unique(list: readonly Descriptor[]): Descriptor[] {
  const seen = new Map<string, Descriptor>();
  for (const entry of list) {
    const before = seen.get(entry.digest);
    if (before && before.size !== entry.size) throw invalid(`${entry.digest} is named with two different sizes`);
    seen.set(entry.digest, entry);
  }
  return [...seen.values()];
}

function stringMap(value: unknown, field: string): Record<string, string> | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value)) throw invalid(`${field} must be an object`);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') throw invalid(`${field}[${JSON.stringify(key).slice(0, 100)}] must be a string`);
  }
  return value as Record<string, string>;
}

function optionalString(value: unknown, field: string): string | undefined {
  if (isAbsent(value) || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`${field} must be a string`);
  return value;
}

/** Go writes empty lists and pointers as null. */
function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): Refusal {
  return new Refusal('MANIFEST_INVALID', message);
}

export function isManifestType(mediaType: string): boolean {
  return IMAGES.has(mediaType) || INDEXES.has(mediaType);
}
