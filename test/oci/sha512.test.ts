import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  blob,
  digestOf,
  expectStatus,
  image,
  index,
  locationOf,
  manifest,
  unknownDigest,
  type Blob,
} from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
const SIZES = [0, 1, 70_000, 9 * 2 ** 20 + 3];

async function expectThere(content: Blob): Promise<void> {
  const head = await repo.headBlob(content.digest);
  expectBareStatus(head, 200);
  expect(head.header('Docker-Content-Digest'), 'the digest that was asked for').toBe(content.digest);
  const answer = await repo.getBlob(content.digest);
  expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
  expect(answer.body.equals(content.bytes)).toBe(true);
}

describe('blobs', () => {
  it.each(SIZES)('of %d bytes: the algorithm named when the upload is opened', async (size) => {
    const content = blob(size, 'sha512');
    const location = await repo.mustStart({ 'digest-algorithm': 'sha512' });
    const patched = expectStatus(await repo.patch(location, () => [content.bytes]), 202);
    const answer = expectStatus(await repo.close(locationOf(patched), content.digest), 201);
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    await expectThere(content);
  });

  it.each(SIZES)('of %d bytes: the algorithm known only at the end', async (size) => {
    const content = blob(size, 'sha512');
    let location = await repo.mustStart();
    if (size > 1)
      location = locationOf(expectStatus(await repo.patch(location, content.bytes.subarray(0, size >> 1), 0), 202));
    const rest = size > 1 ? content.bytes.subarray(size >> 1) : content.bytes;
    expectStatus(await repo.close(location, content.digest, rest), 201);
    await expectThere(content);
  });

  it.each(SIZES)('of %d bytes: in a single POST', async (size) => {
    const content = blob(size, 'sha512');
    expectStatus(await repo.post({ digest: content.digest }, { body: content.bytes }), 201);
    await expectThere(content);
  });

  it('announced as sha512 and closed as sha256 are taken', async () => {
    const content = blob(5_000);
    const location = await repo.mustStart({ 'digest-algorithm': 'sha512' });
    expectStatus(await repo.close(location, content.digest, content.bytes), 201);
    await expectThere(content);
  });

  it('have one set of bytes under both names', async () => {
    const content = blob(5_000, 'sha512');
    await repo.mustPush(content);
    const other: Blob = { ...content, digest: digestOf(content.bytes) };
    await repo.mustPush(other);
    await expectThere(content);
    await expectThere(other);
    const { rows } = await hub.db.pool.query('select 1 from blobs where digest = $1', [
      Buffer.from(`01${other.digest.slice(7)}`, 'hex'),
    ]);
    expect(rows).toHaveLength(1);
  });

  it('pushed as sha256 first are found under the sha512 that came later', async () => {
    const content = blob(5_000);
    await repo.mustPush(content);
    const other: Blob = { ...content, digest: digestOf(content.bytes, 'sha512') };
    await repo.mustPush(other);
    await expectThere(other);
    await expectThere(content);
  });

  it('with a wrong digest are 400 DIGEST_INVALID', async () => {
    const digest = unknownDigest('sha512');
    for (const query of [{}, { 'digest-algorithm': 'sha512' }]) {
      const answer = await repo.close(await repo.mustStart(query), digest, blob().bytes);
      expectError(answer, 400, 'DIGEST_INVALID');
    }
    expectError(await repo.post({ digest }, { body: blob().bytes }), 400, 'DIGEST_INVALID');
    expectBareStatus(await repo.headBlob(digest), 404);
  });

  it.each(['md5', 'sha1', 'sha384', 'SHA256', 'sha512 '])(
    'with the algorithm %j, which is not known, are refused',
    async (algorithm) => {
      expectError(await repo.post({ 'digest-algorithm': algorithm }), 400, ['DIGEST_INVALID', 'UNSUPPORTED']);
    },
  );

  it('mount by their sha512', async () => {
    const content = blob(3_000, 'sha512');
    await repo.mustPush(content);
    const target = await hub.repo();
    const answer = expectStatus(await target.mount(content.digest, repo.name), 201);
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('give ranges', async () => {
    const content = blob(3_000, 'sha512');
    await repo.mustPush(content);
    const answer = await repo.getBlob(content.digest, { Range: 'bytes=100-199' });
    expect(answer.status).toBe(206);
    expect(answer.body).toEqual(content.bytes.subarray(100, 200));
  });

  it('are deleted by their sha512', async () => {
    const content = blob(3_000, 'sha512');
    await repo.mustPush(content);
    expectStatus(await repo.deleteBlob(content.digest), 202);
    expectBareStatus(await repo.headBlob(content.digest), 404);
  });
});

describe('manifests', () => {
  it('pushed by a sha512 digest are answered with it everywhere', async () => {
    const content = image({ algorithm: 'sha512' });
    for (const one of content.blobs) await repo.mustPush(one);
    const answer = expectStatus(await repo.putManifest(content.manifest), 201);
    expect(answer.header('Docker-Content-Digest')).toBe(content.manifest.digest);
    expect((await repo.at(locationOf(answer), 'GET')).body).toEqual(content.manifest.bytes);
    for (const answered of [
      await repo.headManifest(content.manifest.digest),
      await repo.getManifest(content.manifest.digest),
    ]) {
      expect(answered.status).toBe(200);
      expect(answered.header('Docker-Content-Digest')).toBe(content.manifest.digest);
    }
    expect(await repo.mustPull(content.manifest.digest)).toEqual(content.manifest.bytes);
  });

  it('may be tagged with ?tag= and pulled by tag', async () => {
    const content = image({ algorithm: 'sha512' });
    for (const one of content.blobs) await repo.mustPush(one);
    const answer = expectStatus(
      await repo.putManifest(content.manifest, content.manifest.digest, { tag: 'strong' }),
      201,
    );
    expect(answer.header('OCI-Tag')).toBe('strong');
    const pulled = expectStatus(await repo.getManifest('strong'), 200);
    expect(pulled.body).toEqual(content.manifest.bytes);
    expect(pulled.header('Docker-Content-Digest')).toBe(content.manifest.digest);
  });

  it('in an index by their sha512, and the index too', async () => {
    const content = image({ algorithm: 'sha512' });
    await repo.mustPushImage(content);
    const parent = index([content.manifest], { algorithm: 'sha512' });
    await repo.mustPut(parent);
    expect(await repo.mustPull(parent.digest)).toEqual(parent.bytes);
  });

  it('are listed as referrers under a sha512 subject', async () => {
    const subject = image({ algorithm: 'sha512' });
    await repo.mustPushImage(subject);
    const signature = image({ algorithm: 'sha512', subject: subject.manifest });
    for (const one of signature.blobs) await repo.mustPush(one);
    const answer = expectStatus(await repo.putManifest(signature.manifest), 201);
    expect(answer.header('OCI-Subject')).toBe(subject.manifest.digest);
    expect((await repo.mustReferrers(subject.manifest.digest)).map((one) => one.digest)).toEqual([
      signature.manifest.digest,
    ]);
  });

  it('with a wrong sha512 are 400 DIGEST_INVALID', async () => {
    const empty = manifest({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
    expectError(await repo.putManifest(empty, unknownDigest('sha512')), 400, 'DIGEST_INVALID');
  });
});
