import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, locationOf } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const MIB = 2 ** 20;

describe('a hub on S3', async () => {
  const hub = await testHub({ store: 's3' });
  const repo = await hub.repo();

  it.each([0, 1, 5 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB, 25 * MIB + 3])(
    'keeps a blob of %d bytes, sent in one go',
    async (size) => {
      const content = blob(size);
      await repo.mustPush(content);
      expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
      expect((await repo.headBlob(content.digest)).header('Content-Length')).toBe(String(size));
    },
  );

  it.each([
    [10, 1_000],
    [5, 3 * MIB + 1],
    [3, 9 * MIB],
  ])('keeps a blob of %d chunks of %d bytes', async (count, size) => {
    const content = blob(count * size);
    let location = await repo.mustStart();
    for (let at = 0; at < count; at++) {
      const chunk = content.bytes.subarray(at * size, (at + 1) * size);
      location = locationOf(expectStatus(await repo.patch(location, chunk, at * size), 202));
      expect((await repo.at(location, 'GET')).header('Range')).toBe(`0-${(at + 1) * size - 1}`);
    }
    expectStatus(await repo.close(location, content.digest), 201);
    expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
  });

  it('serves ranges, one and several', async () => {
    const content = blob(9 * MIB);
    await repo.mustPush(content);
    const one = await repo.getBlob(content.digest, { Range: `bytes=${8 * MIB - 5}-${8 * MIB + 4}` });
    expect(one.status).toBe(206);
    expect(one.body).toEqual(content.bytes.subarray(8 * MIB - 5, 8 * MIB + 5));
    const several = await repo.getBlob(content.digest, { Range: 'bytes=0-1,5000-5001' });
    expect(several.status).toBe(206);
    expect(several.header('Content-Type')).toMatch(/^multipart\/byteranges/);
  });

  it('refuses a wrong digest and keeps nothing to see', async () => {
    const [content, other] = [blob(9 * MIB), blob(10)];
    const location = await repo.mustStart();
    expectError(await repo.close(location, other.digest, content.bytes), 400, 'DIGEST_INVALID');
    expectBareStatus(await repo.headBlob(content.digest), 404);
    await repo.at(location, 'DELETE');
  });

  it('pulls what it took by a push of an image', async () => {
    const content = image({ layers: [9 * MIB, 100] });
    await repo.mustPushImage(content, 'v1');
    expect(await repo.mustPull('v1')).toEqual(content.manifest.bytes);
  });
});

describe('a hub whose clients can reach its S3', async () => {
  const hub = await testHub({ store: 's3', redirects: true });
  const repo = await hub.repo();
  const content = blob(200_000);
  await repo.mustPush(content);
  const direct = (method: string, headers: Record<string, string> = {}) =>
    repo.request(method, `/blobs/${content.digest}`, { headers });

  it('sends them there for the bytes, without credentials in their hands', async () => {
    const answer = await direct('GET');
    expect(answer.status).toBe(307);
    expect(new URL(locationOf(answer)).origin).toBe(hub.s3?.endpoint);
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    const followed = await repo.getBlob(content.digest);
    expect(followed.status).toBe(200);
    expect(followed.body).toEqual(content.bytes);
  });

  it('lets a range survive the redirect', async () => {
    const answer = await repo.getBlob(content.digest, { Range: 'bytes=100-199' });
    expect(answer.status).toBe(206);
    expect(answer.body).toEqual(content.bytes.subarray(100, 200));
  });

  it('answers HEAD itself', async () => {
    const answer = await direct('HEAD');
    expectBareStatus(answer, 200);
    expect(answer.header('Content-Length')).toBe('200000');
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
  });

  it('answers several ranges itself, which S3 cannot', async () => {
    const answer = await direct('GET', { Range: 'bytes=0-9,100-109' });
    expect(answer.status).toBe(206);
    expect(answer.header('Content-Type')).toMatch(/^multipart\/byteranges/);
  });

  it('sends nobody there who may not pull', async () => {
    const { client } = await hub.person();
    expectError(await client.repo(repo.name).request('GET', `/blobs/${content.digest}`), 404, 'NAME_UNKNOWN');
    expectError(await hub.stranger.request('GET', `/v2/${repo.name}/blobs/${content.digest}`), 401, 'UNAUTHORIZED');
  });

  it('sends nobody there for what is deleted', async () => {
    const gone = blob();
    await repo.mustPush(gone);
    expectStatus(await repo.deleteBlob(gone.digest), 202);
    expectError(await repo.getBlob(gone.digest), 404, 'BLOB_UNKNOWN');
  });
});
