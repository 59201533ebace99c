import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  digestOf,
  expectStatus,
  image,
  index,
  locationOf,
  manifest,
  MEDIA,
  unknownDigest,
} from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

describe('a pushed image', () => {
  const content = image();

  it('is 201 with a Location that brings the same bytes', async () => {
    const answer = await repo.mustPushImage(content, 'v1');
    expect(answer.header('Docker-Content-Digest')).toBe(content.manifest.digest);
    const at = await repo.at(locationOf(answer), 'GET');
    expect(at.status).toBe(200);
    expect(at.body).toEqual(content.manifest.bytes);
  });

  it.each(['tag', 'digest'])('is pulled by %s, byte for byte, with its type and digest', async (by) => {
    const reference = by === 'tag' ? 'v1' : content.manifest.digest;
    const answer = await repo.getManifest(reference);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(content.manifest.bytes);
    expect(answer.header('Content-Type'), 'exactly, without parameters').toBe(MEDIA.manifest);
    expect(answer.header('Content-Length')).toBe(String(content.manifest.size));
    expect(answer.header('Docker-Content-Digest')).toBe(content.manifest.digest);
  });

  it.each(['tag', 'digest'])('has a HEAD by %s with everything that saves the GET', async (by) => {
    const answer = await repo.headManifest(by === 'tag' ? 'v1' : content.manifest.digest);
    expectBareStatus(answer, 200);
    expect(answer.header('Content-Type')).toBe(MEDIA.manifest);
    expect(answer.header('Content-Length')).toBe(String(content.manifest.size));
    expect(answer.header('Docker-Content-Digest')).toBe(content.manifest.digest);
    expect(answer.header('ETag')).toMatch(/^"[^"]+"$/);
  });

  it.each([MEDIA.dockerManifest, MEDIA.index, 'text/html', 'application/json;q=0.1', '*/*', 'nonsense'])(
    'is served as it is when Accept is %s',
    async (accept) => {
      const answer = await repo.getManifest('v1', { Accept: accept });
      expect(answer.status).toBe(200);
      expect(answer.header('Content-Type')).toBe(MEDIA.manifest);
      expect(answer.body).toEqual(content.manifest.bytes);
    },
  );

  it('is never encoded', async () => {
    const answer = await repo.getManifest('v1', { 'Accept-Encoding': 'gzip, br, zstd' });
    expect(answer.header('Content-Encoding')).toBeUndefined();
    expect(answer.body).toEqual(content.manifest.bytes);
  });

  it('is 304 for its own entity tag, by tag and by digest', async () => {
    for (const reference of ['v1', content.manifest.digest]) {
      const etag = (await repo.headManifest(reference)).header('ETag') ?? '';
      expectBareStatus(await repo.getManifest(reference, { 'If-None-Match': etag }), 304);
      expectBareStatus(await repo.headManifest(reference, { 'If-None-Match': `"x", ${etag}` }), 304);
      expect((await repo.getManifest(reference, { 'If-None-Match': '"x"' })).status).toBe(200);
    }
  });

  it('may be pushed again, by tag and by digest', async () => {
    for (const reference of ['v1', content.manifest.digest, 'v1']) {
      expectStatus(await repo.putManifest(content.manifest, reference), 201);
    }
    expect(await repo.mustPull('v1')).toEqual(content.manifest.bytes);
  });

  it('gives way to the next one under its tag, and stays under its digest', async () => {
    const next = image();
    const before = (await repo.headManifest('v1')).header('ETag') ?? '';
    await repo.mustPushImage(next, 'v1');
    expect(await repo.mustPull('v1')).toEqual(next.manifest.bytes);
    expect((await repo.getManifest('v1', { 'If-None-Match': before })).status).toBe(200);
    expect(await repo.mustPull(content.manifest.digest)).toEqual(content.manifest.bytes);
  });
});

describe('other media types', () => {
  it('docker schema 2 and its list are kept byte for byte', async () => {
    const images = [image({ docker: true }), image({ docker: true })];
    for (const one of images) await repo.mustPushImage(one);
    const list = index(
      images.map((one) => one.manifest),
      { docker: true },
    );
    await repo.mustPut(list, 'docker');
    const pulled = await repo.getManifest('docker');
    expect(pulled.header('Content-Type')).toBe(MEDIA.dockerList);
    expect(pulled.body).toEqual(list.bytes);
    for (const { manifest: child } of images) {
      const answer = await repo.getManifest(child.digest, { Accept: MEDIA.manifest });
      expect(answer.header('Content-Type')).toBe(MEDIA.dockerManifest);
      expect(answer.body).toEqual(child.bytes);
    }
  });

  it('take parameters of the Content-Type off', async () => {
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    const typed = { ...content.manifest, mediaType: `${MEDIA.manifest}; charset=utf-8` };
    expectStatus(await repo.putManifest(typed, 'parameters'), 201);
    expect((await repo.getManifest('parameters')).header('Content-Type')).toBe(MEDIA.manifest);
  });

  it('are known from the Content-Type when the document does not say', async () => {
    const content = image({ extra: { mediaType: undefined } });
    expect(content.manifest.bytes.toString()).not.toContain(`"mediaType": "${MEDIA.manifest}"`);
    await repo.mustPushImage(content, 'untyped');
    expect((await repo.getManifest('untyped')).header('Content-Type')).toBe(MEDIA.manifest);
  });

  it('that contradict the document are 400 MANIFEST_INVALID', async () => {
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    for (const mediaType of [MEDIA.index, MEDIA.dockerManifest, MEDIA.dockerList]) {
      expectError(await repo.putManifest({ ...content.manifest, mediaType }, 'liar'), 400, 'MANIFEST_INVALID');
    }
    expectBareStatus(await repo.headManifest('liar'), 404);
  });

  it('that are not manifests are refused', async () => {
    const document = { schemaVersion: 1, name: repo.name, tag: 'old', fsLayers: [], history: [], signatures: [] };
    for (const mediaType of [
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'application/json',
      'text/plain',
      'nonsense',
    ]) {
      expectError(
        await repo.putManifest(manifest(document, mediaType), 'old'),
        [400, 415],
        ['MANIFEST_INVALID', 'UNSUPPORTED'],
      );
    }
  });
});

describe('references', () => {
  it('to what is not there are 404 MANIFEST_UNKNOWN', async () => {
    expectError(await repo.getManifest('nope'), 404, 'MANIFEST_UNKNOWN');
    expectError(await repo.getManifest(unknownDigest()), 404, 'MANIFEST_UNKNOWN');
    expectError(await repo.getManifest(unknownDigest('sha512')), 404, 'MANIFEST_UNKNOWN');
    expectBareStatus(await repo.headManifest('nope'), 404);
    const nowhere = hub.admin.repo(`${repo.name}/nowhere`);
    expectError(await nowhere.getManifest('nope'), 404, ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN']);
  });

  it('by a digest that is not that of the body are 400 DIGEST_INVALID', async () => {
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    const digest = unknownDigest();
    expectError(await repo.putManifest(content.manifest, digest), 400, 'DIGEST_INVALID');
    expectBareStatus(await repo.headManifest(digest), 404);
    expectBareStatus(await repo.headManifest(content.manifest.digest), 404);
  });

  it.each([
    'sha256:baddigeststring',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    'a:b',
    '.dot',
    '-dash',
    'a b',
    'ü',
    'x'.repeat(129),
    'a@b',
  ])('that are neither tag nor digest are refused: %s', async (text) => {
    const reference = encodeURIComponent(text);
    const content = manifest({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] });
    expectError(
      await repo.putManifest(content, reference),
      [400, 404],
      ['MANIFEST_INVALID', 'DIGEST_INVALID', 'NAME_INVALID', 'UNSUPPORTED'],
    );
    expectError(await repo.getManifest(reference), [400, 404]);
  });

  it.each(['_', '0', 'A', 'v1.0.0_b-2', 'latest', '_.-', 'x'.repeat(128), 'sha256-abc'])(
    'may be the tag %s',
    async (tag) => {
      const content = manifest({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [], annotations: { tag } });
      expectStatus(await repo.putManifest(content, tag), 201);
      const answer = await repo.getManifest(tag);
      expect(answer.body).toEqual(content.bytes);
      expect(answer.header('Docker-Content-Digest')).toBe(digestOf(content.bytes));
    },
  );

  it('are case-sensitive', async () => {
    await repo.mustPut(manifest({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] }), 'CaseTag');
    expectBareStatus(await repo.headManifest('casetag'), 404);
  });
});
