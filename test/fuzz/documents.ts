/** Manifests out of the image-spec's grammar, and the ways in which an attacker would bend them. */
import * as fc from 'fast-check';
import { hex, letterOf } from './text.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

const digest = fc.oneof(
  hex(64).map((text) => `sha256:${text}`),
  hex(128).map((text) => `sha512:${text}`),
);
/** Letters that no digest has, so that a digest is found in the text only where one was put. */
const word = fc.string({ unit: letterOf('ghijklmnop/.+ü"\\'), minLength: 1, maxLength: 12 });
const type = fc.string({ unit: letterOf('ghijklmnop/.+-'), minLength: 1, maxLength: 12 });
const annotations = fc.dictionary(word, word, { maxKeys: 3 });
const descriptor = fc.record(
  { mediaType: type, digest, size: fc.maxSafeNat(), annotations },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
);
const unknown = fc.dictionary(
  word.map((text) => `x-${text}`),
  fc.oneof(word, fc.integer(), fc.constant(null), fc.array(word)),
  { maxKeys: 2 },
);

const image = fc
  .tuple(
    fc.constantFrom(MANIFEST, DOCKER),
    fc.record({ config: descriptor, layers: fc.array(descriptor, { maxLength: 4 }) }),
    fc.record({ subject: descriptor, annotations, artifactType: type }, { requiredKeys: [] }),
    unknown,
  )
  .map(([mediaType, parts, more, odd]) => ({
    mediaType,
    document: { ...odd, schemaVersion: 2, mediaType, ...parts, ...more },
  }));

const index = fc
  .tuple(
    fc.constantFrom(INDEX, LIST),
    fc.record({ manifests: fc.array(descriptor, { maxLength: 4 }) }),
    fc.record({ subject: descriptor, annotations, artifactType: type }, { requiredKeys: [] }),
    unknown,
  )
  .map(([mediaType, parts, more, odd]) => ({
    mediaType,
    document: { ...odd, schemaVersion: 2, mediaType, ...parts, ...more },
  }));

export interface Document {
  readonly mediaType: string;
  readonly document: Readonly<Record<string, unknown>>;
}

export const documents: fc.Arbitrary<Document> = fc.oneof(image, index);

const keys = ['config', 'layers', 'manifests', 'subject', 'mediaType', 'digest', 'size', 'schemaVersion', 'fsLayers'];
const values = fc.oneof(
  descriptor.map((one) => JSON.stringify(one)),
  fc.array(descriptor, { maxLength: 2 }).map((many) => JSON.stringify(many)),
  digest.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    'null',
    '[]',
    '{}',
    '0',
    '-1',
    '1e400',
    '"x"',
    'true',
    JSON.stringify(INDEX),
    JSON.stringify(MANIFEST),
  ),
);

/** Another spelling of a key that some parsers take for the same. */
const spelling: fc.Arbitrary<(key: string) => string> = fc.constantFrom(
  (key: string) => key,
  (key: string) => key.toUpperCase(),
  (key: string) => (key[0] ?? '').toUpperCase() + key.slice(1),
  (key: string) => key.replace('s', '\u017f'),
  (key: string) => key.replace(/./, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (key: string) => `${key} `,
  (key: string) => `${key}\\u0000`,
);

type Bend = (text: string) => string;
const bends: fc.Arbitrary<Bend> = fc.oneof(
  // Another field at the front, where a parser that keeps the first key would find it.
  fc.tuple(fc.constantFrom(...keys), spelling, values).map(
    ([key, spell, value]): Bend =>
      (text) =>
        text.replace('{', () => `{"${spell(key)}":${value},`),
  ),
  // At the end, where one that keeps the last would.
  fc.tuple(fc.constantFrom(...keys), spelling, values).map(
    ([key, spell, value]): Bend =>
      (text) =>
        text.replace(/\}$/, () => `,"${spell(key)}":${value}}`),
  ),
  // Inside the first descriptor.
  fc.tuple(fc.constantFrom('digest', 'size', 'mediaType'), spelling, values).map(
    ([key, spell, value]): Bend =>
      (text) =>
        text.replace(/\{"mediaType"/, () => `{"${spell(key)}":${value},"mediaType"`),
  ),
  fc.tuple(fc.constantFrom(...keys), values).map(
    ([key, value]): Bend =>
      (text) =>
        text.replace(new RegExp(`"${key}":("[^"]*"|[0-9]+|\\[\\]|\\{\\})`), () => `"${key}":${value}`),
  ),
  fc
    .tuple(fc.nat(), fc.constantFrom('', '{', '}', '"', ',', '\\', '\0', '\ufeff', '\ud800', ' ', '0'))
    .map(([where, what]): Bend => (text) => {
      const at = where % (text.length + 1);
      return text.slice(0, at) + what + text.slice(at + (what === '' ? 1 : 0));
    }),
);

export interface Spoiled {
  readonly bytes: Buffer;
  readonly mediaType: string | undefined;
}

export const spoiled: fc.Arbitrary<Spoiled> = fc
  .tuple(
    documents,
    fc.array(bends, { minLength: 1, maxLength: 3 }),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('own') },
      { weight: 1, arbitrary: fc.constantFrom(undefined, MANIFEST, INDEX, DOCKER, 'text/plain') },
    ),
    fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 8 }),
  )
  .map(([{ document, mediaType }, changes, sentAs, flip]) => {
    const text = changes.reduce((sofar, bend) => bend(sofar), JSON.stringify(document));
    const bytes = Buffer.from(text);
    if (flip) bytes[flip[0] % bytes.length] = flip[1];
    return { bytes, mediaType: sentAs === 'own' ? mediaType : sentAs };
  });
