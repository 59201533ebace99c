import { describe, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const LIMIT = 1_000_000;
const hub = await testHub({ config: { limits: { blob: LIMIT } } });
const repo = await hub.repo();

describe('a blob as large as the limit', () => {
  it.each(['with a length', 'without'])('is taken, %s', async (way) => {
    const content = blob(LIMIT);
    const location = await repo.mustStart();
    const body = way === 'without' ? () => [content.bytes] : content.bytes;
    expectStatus(await repo.close(location, content.digest, body), 201);
  });
});

describe('one byte more', () => {
  const content = blob(LIMIT + 1);

  it('is 413 in a single POST', async () => {
    expectError(await repo.post({ digest: content.digest }, { body: content.bytes }), 413, 'SIZE_INVALID');
  });

  it.each(['with a length', 'without'])('is 413 in a PUT %s', async (way) => {
    const location = await repo.mustStart();
    const body = way === 'without' ? () => [content.bytes] : content.bytes;
    expectError(await repo.close(location, content.digest, body), 413, 'SIZE_INVALID');
    await repo.at(location, 'DELETE');
  });

  it('is 413 when chunks add up to it', async () => {
    const first = expectStatus(await repo.patch(await repo.mustStart(), content.bytes.subarray(0, LIMIT)), 202);
    expectError(await repo.patch(locationOf(first), content.bytes.subarray(LIMIT)), 413, 'SIZE_INVALID');
    await repo.at(locationOf(first), 'DELETE');
  });

  it('is nowhere afterwards', async () => {
    expectBareStatus(await repo.headBlob(content.digest), 404);
  });
});
