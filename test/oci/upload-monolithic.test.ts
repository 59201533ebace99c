import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf, unknownDigest, type Answer, type Blob } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

async function expectPushed(answer: Answer, content: Blob): Promise<void> {
  expectStatus(answer, 201);
  expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
  const at = await repo.at(locationOf(answer), 'GET');
  expect(at.status, 'the Location can be pulled').toBe(200);
  expect(at.body).toEqual(content.bytes);
  expect((await repo.headBlob(content.digest)).header('Content-Length')).toBe(String(content.size));
}

describe.each([
  ['no bytes', 0],
  ['one byte', 1],
  ['some bytes', 70_000],
  ['megabytes', 9 * 2 ** 20 + 11],
])('%s', (_, size) => {
  it('go up in a single POST', async () => {
    const content = blob(size);
    const headers = { 'Content-Type': 'application/octet-stream' };
    await expectPushed(await repo.post({ digest: content.digest }, { body: content.bytes, headers }), content);
  });

  it('go up with POST, then PUT', async () => {
    const content = blob(size);
    const start = expectStatus(await repo.post(), 202);
    await expectPushed(await repo.close(locationOf(start), content.digest, content.bytes), content);
  });

  it('go up in a PUT of unknown length', async () => {
    const content = blob(size);
    const location = await repo.mustStart();
    await expectPushed(await repo.close(location, content.digest, () => [content.bytes]), content);
  });
});

describe('opening an upload', () => {
  it('gives a location with a UUID that is usable as it is, and starts at zero', async () => {
    const answer = await repo.post();
    expect(answer.status).toBe(202);
    expect(locationOf(answer)).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/);
    expect(locationOf(answer), 'a path or absolute, never relative to the request').toMatch(/^(\/v2\/|http)/);
    expect(answer.body.length).toBe(0);
    expectBareStatus(await repo.at(locationOf(answer), 'DELETE'), 204);
  });

  it('does not demand a minimum size of chunks', async () => {
    const answer = await repo.post();
    expect(answer.header('OCI-Chunk-Min-Length')).toBeUndefined();
    await repo.at(locationOf(answer), 'DELETE');
  });

  it('does not mind the Content-Type that some clients send with an empty body', async () => {
    const answer = await repo.post({}, { headers: { 'Content-Type': 'application/json' } });
    expect(answer.status).toBe(202);
    await repo.at(locationOf(answer), 'DELETE');
  });

  it('makes a new session each time', async () => {
    const first = await repo.mustStart();
    const second = await repo.mustStart();
    expect(first).not.toBe(second);
    await repo.at(first, 'DELETE');
    await repo.at(second, 'DELETE');
  });
});

describe('a digest that is not that of the bytes', () => {
  it('is 400 DIGEST_INVALID for a single POST, and nothing is there', async () => {
    const digest = unknownDigest();
    const answer = await repo.post({ digest }, { body: blob(5_000).bytes });
    expectError(answer, 400, 'DIGEST_INVALID');
    expectBareStatus(await repo.headBlob(digest), 404);
  });

  it.each(['PUT with the bytes', 'PATCH before'])('is 400 DIGEST_INVALID for %s', async (way) => {
    const content = blob(5_000);
    const digest = unknownDigest();
    let location = await repo.mustStart();
    if (way === 'PATCH before') location = locationOf(await repo.patch(location, content.bytes));
    const answer = await repo.close(location, digest, way === 'PATCH before' ? undefined : content.bytes);
    expectError(answer, 400, 'DIGEST_INVALID');
    expectBareStatus(await repo.headBlob(digest), 404);
    expectBareStatus(await repo.headBlob(content.digest), 404);
  });

  it('leaves the session as it was, so that the right digest still closes it', async () => {
    const content = blob(5_000);
    const location = locationOf(await repo.patch(await repo.mustStart(), content.bytes.subarray(0, 3_000)));
    expectError(await repo.close(location, unknownDigest()), 400, 'DIGEST_INVALID');
    expectError(await repo.close(location, unknownDigest(), content.bytes.subarray(3_000)), 400, 'DIGEST_INVALID');
    expect((await repo.at(location, 'GET')).header('Range')).toBe('0-2999');
    expectStatus(await repo.close(location, content.digest, content.bytes.subarray(3_000)), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it.each([
    '',
    'sha256:',
    'sha256:abc',
    `sha256:${'0'.repeat(63)}`,
    `SHA256:${'0'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    `sha256:${'0'.repeat(64)} `,
  ])('is 400 when it cannot be read: %j', async (digest) => {
    const location = await repo.mustStart();
    expectError(await repo.close(location, digest, blob().bytes), 400, 'DIGEST_INVALID');
    await repo.at(location, 'DELETE');
    if (digest !== '') expectError(await repo.post({ digest }, { body: blob().bytes }), 400, 'DIGEST_INVALID');
  });

  it('is 400 when it is missing', async () => {
    const location = await repo.mustStart();
    expectError(await repo.at(location, 'PUT', { body: blob().bytes }), 400, 'DIGEST_INVALID');
    await repo.at(location, 'DELETE');
  });
});

describe('the same blob again', () => {
  it('is 201 each time and stored once', async () => {
    const content = blob(30_000);
    for (let time = 0; time < 3; time++) expect((await repo.mustPush(content)).status).toBe(201);
    const other = await hub.repo();
    await other.mustPush(content);
    const { rows } = await hub.db.pool.query('select size from blobs where digest = $1', [
      Buffer.from(`01${content.digest.slice(7)}`, 'hex'),
    ]);
    expect(rows).toHaveLength(1);
  });
});
