import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, digestOf, unknownDigest } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
const content = blob(10_000);
await repo.mustPush(content);

describe('HEAD and GET of a blob', () => {
  it('HEAD says digest, length and type, and brings no body', async () => {
    const answer = await repo.headBlob(content.digest);
    expectBareStatus(answer, 200);
    expect(answer.header('Content-Length')).toBe('10000');
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    expect(answer.header('Content-Type')).toBe('application/octet-stream');
    expect(answer.header('Accept-Ranges')).toBe('bytes');
  });

  it('GET brings the bytes with the same headers', async () => {
    const answer = await repo.getBlob(content.digest);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(content.bytes);
    expect(answer.header('Content-Length')).toBe('10000');
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    expect(answer.header('Content-Type')).toBe('application/octet-stream');
  });

  it('never encodes the bytes, whatever the client accepts', async () => {
    const text = blob('a'.repeat(50_000));
    await repo.mustPush(text);
    const answer = await repo.getBlob(text.digest, { 'Accept-Encoding': 'gzip, deflate, br, zstd' });
    expect(answer.header('Content-Encoding')).toBeUndefined();
    expect(answer.body).toEqual(text.bytes);
  });

  it('brings zero bytes', async () => {
    const nothing = blob(0);
    await repo.mustPush(nothing);
    expect((await repo.headBlob(nothing.digest)).header('Content-Length')).toBe('0');
    const answer = await repo.getBlob(nothing.digest);
    expect(answer.status).toBe(200);
    expect(answer.body.length).toBe(0);
  });

  it('brings a blob larger than any buffer on the way', async () => {
    const large = blob(24 * 2 ** 20);
    await repo.mustPush(large);
    const { body } = await repo.getBlob(large.digest);
    expect(body.length).toBe(large.size);
    expect(digestOf(body)).toBe(large.digest);
  });

  it('is 404 BLOB_UNKNOWN for a digest that is not here', async () => {
    expectError(await repo.getBlob(unknownDigest()), 404, 'BLOB_UNKNOWN');
    expectError(await repo.getBlob(unknownDigest('sha512')), 404, 'BLOB_UNKNOWN');
    expectBareStatus(await repo.headBlob(unknownDigest()), 404);
  });

  it('is 404 in another repository of the same project: a digest is not a right', async () => {
    const other = hub.admin.repo(`${repo.name}/other`);
    await other.mustPush(blob());
    expectError(await other.getBlob(content.digest), 404, 'BLOB_UNKNOWN');
    expectBareStatus(await other.headBlob(content.digest), 404);
  });

  it.each([
    'sha256:abc',
    'sha256',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'g'.repeat(64)}`,
    'latest',
  ])('refuses %s, which is no digest', async (text) => {
    expectError(await repo.getBlob(text), [400, 404], ['DIGEST_INVALID', 'BLOB_UNKNOWN']);
  });

  it('ignores ?ns=, which mirrors of other hubs add', async () => {
    const answer = await repo.request('GET', `/blobs/${content.digest}?ns=docker.io`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(content.bytes);
  });
});

describe('conditional requests', () => {
  it('has an entity tag that makes a 304', async () => {
    const etag = (await repo.headBlob(content.digest)).header('ETag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const value of [etag, '*', `"other", ${etag}`, `W/${etag}`]) {
      const answer = await repo.getBlob(content.digest, { 'If-None-Match': value });
      expectBareStatus(answer, 304);
      expect(answer.header('ETag')).toBe(etag);
    }
    expectBareStatus(await repo.headBlob(content.digest, { 'If-None-Match': etag }), 304);
  });

  it('answers with the bytes when the tag is another', async () => {
    const answer = await repo.getBlob(content.digest, { 'If-None-Match': '"other"' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(content.bytes);
  });

  it('says 404, not 304, for what is not here', async () => {
    expectError(await repo.getBlob(unknownDigest(), { 'If-None-Match': '*' }), 404, 'BLOB_UNKNOWN');
  });
});
