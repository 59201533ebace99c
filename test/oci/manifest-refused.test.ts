import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  blob,
  describe as descriptor,
  EMPTY_JSON,
  expectStatus,
  manifest,
  MEDIA,
  unique,
  type Manifest,
} from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
await repo.mustPush(EMPTY_JSON);
const config = descriptor(EMPTY_JSON, MEDIA.empty);
const good = { schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [config] };
const goodIndex = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [] };

async function expectRefused(content: Manifest, reference = unique()): Promise<void> {
  expectError(await repo.putManifest(content, reference), 400, 'MANIFEST_INVALID');
  expectError(await repo.putManifest(content, content.digest), 400, 'MANIFEST_INVALID');
  expectBareStatus(await repo.headManifest(content.digest), 404);
  expectBareStatus(await repo.headManifest(reference), 404);
}

describe('a document that could be read in two ways', () => {
  it.each([
    ['an image with manifests', { ...good, manifests: [] }],
    ['an index with layers', { ...goodIndex, layers: [] }],
    ['an index with a config', { ...goodIndex, config }],
    ['an image with fsLayers', { ...good, fsLayers: [] }],
    ['an index with fsLayers', { ...goodIndex, fsLayers: [] }],
    // Go's JSON package matches names without regard to case, and the last one wins: containerd would read these.
    ['layers once more in capitals', { ...good, Layers: [] }],
    ['an image with Manifests', { ...good, MANIFESTS: [] }],
    ['mediaType in other case', { ...goodIndex, mediatype: MEDIA.manifest }],
    ['a letter that folds to s', { ...good, 'layer\u017f': [] }],
  ])('is refused: %s', async (_, document) => {
    await expectRefused(manifest(document));
  });

  const json = JSON.stringify(good);
  it.each([
    ['a key twice', `{"config":${JSON.stringify(config)},${json.slice(1)}`],
    ['mediaType twice', `{"mediaType":"${MEDIA.index}",${json.slice(1)}`],
    ['a key twice, once escaped', `{"\\u0063onfig":${JSON.stringify(config)},${json.slice(1)}`],
    ['a key twice deep inside', json.replace('"layers":[{', '"layers":[{"digest":"sha256:0",')],
    ['a key twice among unknown fields', `{"x":{"y":{"a":1,"a":2}},${json.slice(1)}`],
    ['a byte order mark', `\ufeff${json}`],
    ['something after the end', `${json}{}`],
    ['a comma after the end', `${json},`],
    ['a NUL after the end', `${json}\0`],
  ])('is refused: %s', async (_, text) => {
    await expectRefused({ ...blob(text), mediaType: MEDIA.manifest });
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a cut sequence', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['0xff', [0xff]],
  ])('is refused: bytes that are not UTF-8, %s', async (_, bytes) => {
    const at = json.indexOf('"schemaVersion"');
    const content = Buffer.concat([
      Buffer.from(`${json.slice(0, at)}"x":"`),
      Buffer.from(bytes),
      Buffer.from(`",${json.slice(at)}`),
    ]);
    await expectRefused({ ...blob(content), mediaType: MEDIA.manifest });
  });
});

describe('a document that is no manifest', () => {
  it.each([
    '',
    ' ',
    'null',
    '[]',
    '1',
    '"x"',
    '{',
    '{}',
    '{"schemaVersion":2',
    'not json',
    '['.repeat(1_000),
    `{"a":${'['.repeat(500)}${']'.repeat(500)}}`,
  ])('is refused: %j', async (text) => {
    await expectRefused({ ...blob(text), mediaType: MEDIA.manifest });
    await expectRefused({ ...blob(text), mediaType: MEDIA.index });
  });

  it.each([
    ['schemaVersion 1', { ...good, schemaVersion: 1 }],
    ['schemaVersion as text', { ...good, schemaVersion: '2' }],
    ['no schemaVersion', { ...good, schemaVersion: undefined }],
    ['no config', { ...good, config: undefined }],
    ['config that is null', { ...good, config: null }],
    ['config that is a list', { ...good, config: [config] }],
    ['layers that are no list', { ...good, layers: {} }],
    ['a layer that is text', { ...good, layers: ['x'] }],
    ['manifests that are no list', { ...goodIndex, manifests: {} }],
    ['a child that is null', { ...goodIndex, manifests: [null] }],
    ['mediaType that is a number', { ...good, mediaType: 5 }],
    ['annotations that are a list', { ...good, annotations: [] }],
    ['an annotation that is a number', { ...good, annotations: { a: 1 } }],
    ['artifactType that is a number', { ...good, artifactType: 7 }],
    ['subject that is text', { ...good, subject: 'sha256:0' }],
    ['subject without a digest', { ...good, subject: { mediaType: MEDIA.manifest, size: 1 } }],
  ])('is refused: %s', async (_, document) => {
    const type = 'manifests' in document ? MEDIA.index : MEDIA.manifest;
    await expectRefused(manifest(document, type));
  });

  it.each([
    ['no digest', { digest: undefined }],
    ['an upper-case digest', { digest: config.digest.toUpperCase().replace('SHA256', 'sha256') }],
    ['a short digest', { digest: 'sha256:44136fa3' }],
    ['an unknown algorithm', { digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }],
    ['a digest that is a number', { digest: 1 }],
    ['no size', { size: undefined }],
    ['a negative size', { size: -1 }],
    ['half a byte', { size: 2.5 }],
    ['a size as text', { size: '2' }],
    ['a size beyond all numbers', { size: 1e300 }],
    ['no mediaType', { mediaType: undefined }],
    ['a mediaType that is a number', { mediaType: 1 }],
  ])('is refused: a descriptor with %s', async (_, change) => {
    const bad = { ...config, ...change };
    await expectRefused(manifest({ ...good, layers: [bad] }));
    await expectRefused(manifest({ ...good, config: bad }));
    await expectRefused(manifest({ ...goodIndex, manifests: [bad] }, MEDIA.index));
  });
});

describe('size', () => {
  const LIMIT = 4 * 2 ** 20;

  function padded(size: number): Manifest {
    const empty = manifest({ ...good, annotations: { pad: '' } });
    return manifest({ ...good, annotations: { pad: 'x'.repeat(size - empty.size) } });
  }

  it('4 MiB are taken and come back', async () => {
    const content = padded(LIMIT);
    expect(content.size).toBe(LIMIT);
    expectStatus(await repo.putManifest(content, 'large'), 201);
    expect((await repo.getManifest('large')).body.equals(content.bytes)).toBe(true);
    expect((await repo.headManifest('large')).header('Content-Length')).toBe(String(LIMIT));
  });

  it.each(['with a length', 'without'])('one byte more is 413, %s', async (way) => {
    const content = padded(LIMIT + 1);
    const body = way === 'without' ? () => [content.bytes] : content.bytes;
    const headers = { 'Content-Type': content.mediaType };
    const answer = await repo.request('PUT', '/manifests/larger', { headers, body });
    expectError(answer, 413, ['SIZE_INVALID', 'MANIFEST_INVALID']);
    expectBareStatus(await repo.headManifest('larger'), 404);
  });

  it('100 MB are refused with an answer', async () => {
    const answer = await repo.request('PUT', '/manifests/larger', {
      headers: { 'Content-Type': MEDIA.manifest },
      body: function* () {
        for (let at = 0; at < 100; at++) yield Buffer.alloc(1_000_000, ' ');
      },
    });
    expectError(answer, 413, ['SIZE_INVALID', 'MANIFEST_INVALID']);
  });
});
