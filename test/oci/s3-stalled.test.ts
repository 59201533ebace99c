/** S3 that takes a request and never answers it: clients are told to come back, and find their upload as it was. */
import { afterEach, expect, it } from 'vitest';
import { faults } from '../harness/fake-s3.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf, type Answer } from '../harness/oci-client.ts';
import { expectBareStatus } from '../harness/oci-client-expect.ts';

const hub = await testHub({ store: 's3', s3Timeout: 300 });
const repo = await hub.repo();
const s3 = hub.s3!;
const content = blob(9 * 2 ** 20);

afterEach(() => s3.heal());

function expectUnavailable(answer: Answer): void {
  expectStatus(answer, 503);
  expect(answer.header('Retry-After')).toBe('5');
  expect(answer.json()).toMatchObject({
    errors: [{ code: 'UNAVAILABLE', message: expect.stringContaining('try again') }],
  });
}

it('is a 503 when an upload cannot be completed, and the same PUT works later', async () => {
  const location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), content.bytes), 202));
  s3.fail('CompleteMultipartUpload', faults.stall, Infinity);
  expectUnavailable(await repo.close(location, content.digest));
  expectBareStatus(await repo.headBlob(content.digest), 404);
  expect((await repo.at(location, 'GET')).header('Range')).toBe(`0-${content.size - 1}`);

  s3.heal();
  expectStatus(await repo.close(location, content.digest), 201);
  expect((await repo.getBlob(content.digest)).body.equals(content.bytes)).toBe(true);
});

it('is a success when the upload was completed all the same', async () => {
  const other = blob(9 * 2 ** 20);
  const location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), other.bytes), 202));
  s3.fail('CompleteMultipartUpload', faults.stallAfter, Infinity);
  expectStatus(await repo.close(location, other.digest), 201);
  expect((await repo.getBlob(other.digest)).body.equals(other.bytes)).toBe(true);
});

it('is a 503 for a PUT that brings the bytes as well, and sending them again works', async () => {
  const other = blob(9 * 2 ** 20);
  s3.fail('CompleteMultipartUpload', faults.stall, Infinity);
  const location = await repo.mustStart();
  expectUnavailable(await repo.close(location, other.digest, other.bytes));
  expectBareStatus(await repo.headBlob(other.digest), 404);
  s3.heal();
  expectStatus(await repo.close(location, other.digest, other.bytes), 201);
  expect((await repo.getBlob(other.digest)).body.equals(other.bytes)).toBe(true);
});
