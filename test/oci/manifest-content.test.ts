import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  blob,
  describe as descriptor,
  EMPTY_JSON,
  expectStatus,
  image,
  index,
  manifest,
  MEDIA,
  unknownDigest,
} from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
await repo.mustPush(EMPTY_JSON);
const config = descriptor(EMPTY_JSON, MEDIA.empty);

async function expectKept(content: ReturnType<typeof manifest>): Promise<void> {
  expectStatus(await repo.putManifest(content), 201);
  const answer = expectStatus(await repo.getManifest(content.digest), 200);
  expect(answer.body).toEqual(content.bytes);
  expect(answer.header('Content-Type')).toBe(content.mediaType);
}

describe('documents that are taken', () => {
  it('an index of indexes, and one without children', async () => {
    const child = image();
    await repo.mustPushImage(child);
    const inner = index([child.manifest]);
    await expectKept(inner);
    await expectKept(index([inner, child.manifest]));
    await expectKept(index([]));
    await expectKept(index([], { docker: true }));
  });

  it('an image without layers', async () => {
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [] }));
  });

  it('lists that are null, as Go writes empty ones', async () => {
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: null }));
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.index, manifests: null }));
  });

  it('an artifact with its own type and the empty config', async () => {
    await expectKept(
      manifest({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        artifactType: 'application/vnd.example',
        config,
        layers: [config],
      }),
    );
  });

  it('layers that are fetched elsewhere and never pushed', async () => {
    const foreign = {
      mediaType: MEDIA.foreign,
      digest: unknownDigest(),
      size: 123_456,
      urls: ['https://layers.example/1'],
    };
    const docker = { ...foreign, mediaType: MEDIA.dockerForeign, digest: unknownDigest() };
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [foreign, config] }));
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.dockerManifest, config, layers: [docker] }));
    expectBareStatus(await repo.headBlob(foreign.digest), 404);
  });

  it('a build cache: an index whose children are blobs', async () => {
    const layers = [blob(), blob()];
    const cacheConfig = blob('{"layers":[],"records":[]}');
    for (const one of [...layers, cacheConfig]) await repo.mustPush(one);
    const manifests = [
      ...layers.map((layer) =>
        descriptor(layer, MEDIA.layer, { annotations: { 'buildkit/createdat': '2026-01-01T00:00:00Z' } }),
      ),
      descriptor(cacheConfig, 'application/vnd.buildkit.cacheconfig.v0'),
    ];
    const cache = manifest({ schemaVersion: 2, mediaType: MEDIA.index, manifests });
    await expectKept(cache);
    expectError(await repo.deleteBlob(layers[0]?.digest ?? ''), 405, 'UNSUPPORTED');
  });

  it('descriptors that carry their content in data', async () => {
    const content = blob('{"inline":true}');
    await repo.mustPush(content);
    const inline = descriptor(content, MEDIA.config, { data: content.bytes.toString('base64') });
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config: inline, layers: [] }));
  });

  it('but not data that is other content than the digest says', async () => {
    for (const data of [Buffer.from('{"other":true}').toString('base64'), 'no base64!', 7]) {
      const lying = descriptor(EMPTY_JSON, MEDIA.empty, { data });
      const content = manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config: lying, layers: [] });
      expectError(await repo.putManifest(content), 400, 'MANIFEST_INVALID');
    }
  });

  it('fields that nobody knows, at every level, and whitespace and key order as they came', async () => {
    const odd = { ...config, 'org.example': { a: [1, 2.5e3, null, '\u00fc\u0000'] } };
    const document = {
      $schema: 'x',
      'z-first': 1,
      schemaVersion: 2,
      layers: [odd],
      config: odd,
      mediaType: MEDIA.manifest,
      toString: 1,
      constructor: {},
    };
    await expectKept(manifest(document));
    const text = `\t{ "layers":[ ],"schemaVersion" :2 , "mediaType":"${MEDIA.manifest}",\r\n"config":${JSON.stringify(config)},"a":1e2,"__proto__":{"x":1}}\n\n`;
    await expectKept({ ...blob(text), mediaType: MEDIA.manifest });
  });

  it('many annotations and many layers', async () => {
    const annotations = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`key.${at}`, 'v'.repeat(100)]));
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [], annotations }));
    const layers = Array.from({ length: 500 }, () => config);
    await expectKept(manifest({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers }));
  });
});

describe('what a manifest names', () => {
  it('must be there: each missing blob is a MANIFEST_BLOB_UNKNOWN that names it', async () => {
    const content = image();
    const errors = expectError(await repo.putManifest(content.manifest, 'missing'), 404, 'MANIFEST_BLOB_UNKNOWN');
    for (const one of content.blobs) expect(JSON.stringify(errors)).toContain(one.digest);
    expectBareStatus(await repo.headManifest('missing'), 404);
    expectBareStatus(await repo.headManifest(content.manifest.digest), 404);
    await repo.mustPush(content.blobs[0] ?? EMPTY_JSON);
    const fewer = expectError(await repo.putManifest(content.manifest, 'missing'), 404, 'MANIFEST_BLOB_UNKNOWN');
    expect(JSON.stringify(fewer)).not.toContain(content.blobs[0]?.digest);
    await repo.mustPushImage(content, 'missing');
  });

  it('must be there: children of an index too', async () => {
    const [there, missing] = [image(), image()];
    await repo.mustPushImage(there);
    const errors = expectError(
      await repo.putManifest(index([there.manifest, missing.manifest])),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    );
    expect(JSON.stringify(errors)).toContain(missing.manifest.digest);
    expect(JSON.stringify(errors)).not.toContain(there.manifest.digest);
  });

  it('must have the size that is stored', async () => {
    const content = blob(1_000);
    await repo.mustPush(content);
    for (const size of [0, 999, 1_001]) {
      const document = {
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config,
        layers: [{ ...descriptor(content, MEDIA.layer), size }],
      };
      expectError(await repo.putManifest(manifest(document)), 400, ['MANIFEST_INVALID', 'SIZE_INVALID']);
    }
    const child = image();
    await repo.mustPushImage(child);
    const wrong = index([{ ...child.manifest, size: child.manifest.size + 1 }]);
    expectError(await repo.putManifest(wrong), 400, ['MANIFEST_INVALID', 'SIZE_INVALID']);
  });
});

describe('a project that allows sparse manifests', async () => {
  const sparse = await hub.repo({ allowSparse: true });

  it('takes an index whose children come later, or never', async () => {
    const [there, later] = [image(), image()];
    await sparse.mustPushImage(there);
    const parent = index([there.manifest, later.manifest]);
    expectStatus(await sparse.putManifest(parent, 'all'), 201);
    expect((await sparse.getManifest('all')).body).toEqual(parent.bytes);
    expectError(await sparse.getManifest(later.manifest.digest), 404, 'MANIFEST_UNKNOWN');
    await sparse.mustPushImage(later);
    expect(await sparse.mustPull('all')).toEqual(parent.bytes);
  });

  it('takes an image whose layers come later, and protects them then', async () => {
    const content = image();
    expectStatus(await sparse.putManifest(content.manifest, 'thin'), 201);
    const layer = content.blobs[1] ?? EMPTY_JSON;
    expectError(await sparse.getBlob(layer.digest), 404, 'BLOB_UNKNOWN');
    for (const one of content.blobs) await sparse.mustPush(one);
    expect(await sparse.mustPull('thin')).toEqual(content.manifest.bytes);
    expectError(await sparse.deleteBlob(layer.digest), 405, 'UNSUPPORTED');
  });

  it('still demands the right size of what is there', async () => {
    const content = blob(1_000);
    await sparse.mustPush(content);
    const layers = [{ ...descriptor(content, MEDIA.layer), size: 999 }];
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA.manifest,
      config: { ...config, digest: unknownDigest() },
      layers,
    };
    expectError(await sparse.putManifest(manifest(document)), 400, ['MANIFEST_INVALID', 'SIZE_INVALID']);
  });
});
