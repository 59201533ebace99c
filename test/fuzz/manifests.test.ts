import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/registry/manifest.ts';
import { Refusal } from '../../src/registry/refusal.ts';
import { documents, spoiled } from './documents.ts';
import { JsonObject, parseJson, type Json } from './first-wins-json.ts';
import { SEARCH, timeout } from './runs.ts';

function parsed(bytes: Buffer, contentType: string | undefined): ReturnType<typeof parseManifest> | undefined {
  try {
    return parseManifest(bytes, contentType);
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).message.length).toBeGreaterThan(10);
    expect((error as Refusal).message.length).toBeLessThan(1_000);
    return undefined;
  }
}

/** The digests that a reader finds, in the order of the document. */
function digestsBy(read: (object: JsonObject, key: string) => Json | undefined, document: Json): unknown[] {
  if (!(document instanceof JsonObject)) return [];
  const one = (value: Json | undefined): unknown[] => (value instanceof JsonObject ? [read(value, 'digest')] : []);
  const many = (value: Json | undefined): unknown[] => (Array.isArray(value) ? value.flatMap(one) : []);
  return [
    ...one(read(document, 'config')),
    ...many(read(document, 'layers')),
    ...many(read(document, 'manifests')),
    ...one(read(document, 'subject')),
  ];
}

describe('manifests', () => {
  it(
    'that are well made are taken',
    () => {
      fc.assert(
        fc.property(documents, ({ document, mediaType }) => {
          const manifest = parsed(Buffer.from(JSON.stringify(document)), mediaType);
          expect(manifest?.mediaType).toBe(mediaType);
          const named = JSON.stringify(document).match(/sha(256|512):[0-9a-f]+/g) ?? [];
          const { config, blobs = [], foreign = [], children = [], subject } = manifest ?? {};
          const found = [config, ...blobs, ...foreign, ...children, subject].flatMap((one) =>
            one ? [one.digest as string] : [],
          );
          expect(new Set(found)).toEqual(new Set(named));
        }),
        SEARCH,
      );
    },
    timeout(10),
  );

  it(
    'that are spoiled are refused with a reason or read as everyone else reads them',
    () => {
      fc.assert(
        fc.property(spoiled, ({ bytes, mediaType }) => {
          const manifest = parsed(bytes, mediaType);
          if (!manifest) return;
          const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
          const document = parseJson(text);
          const ours = [
            manifest.config,
            ...manifest.blobs,
            ...manifest.foreign,
            ...manifest.children,
            manifest.subject,
          ];
          const wanted = new Set(ours.flatMap((one) => (one ? [one.digest] : [])));
          expect(
            new Set(digestsBy((object, key) => object.first(key), document)),
            'a parser that keeps the first key',
          ).toEqual(wanted);
          expect(
            new Set(digestsBy((object, key) => object.lastFolded(key), document)),
            'a parser that ignores case',
          ).toEqual(wanted);
          expect((document as JsonObject).lastFolded('mediaType') ?? manifest.mediaType).toBe(manifest.mediaType);
        }),
        SEARCH,
      );
    },
    timeout(10),
  );

  it(
    'that are anything at all never break the parser',
    () => {
      const anything = fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.json({ maxDepth: 5 }).map((text) => Buffer.from(text)),
        fc
          .string({ unit: fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', 'a', '1', ' ', 'null') })
          .map((text) => Buffer.from(text)),
      );
      fc.assert(
        fc.property(
          anything,
          fc.oneof(fc.constant(undefined), fc.constant('application/vnd.oci.image.index.v1+json'), fc.string()),
          (bytes, type) => {
            parsed(bytes, type);
          },
        ),
        SEARCH,
      );
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
    timeout(10),
  );
});
