import { beforeEach, describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, locationOf } from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();
const content = blob(30_000);
const chunk = (start: number, end: number) => content.bytes.subarray(start, end);

describe('chunks in order', () => {
  it.each([
    ['closed by an empty PUT', true],
    ['with the last one in the PUT', false],
  ])('make a blob, %s', async (_, emptyPut) => {
    let location = await repo.mustStart();
    const first = expectStatus(await repo.patch(location, chunk(0, 10_000), 0), 202);
    expect(first.header('Range')).toBe('0-9999');
    location = locationOf(first);
    const second = expectStatus(await repo.patch(location, chunk(10_000, 20_000), 10_000), 202);
    expect(second.header('Range'), 'all that is there, not this chunk').toBe('0-19999');
    location = locationOf(second);
    if (emptyPut) {
      location = locationOf(expectStatus(await repo.patch(location, chunk(20_000, 30_000), 20_000), 202));
      expectStatus(await repo.close(location, content.digest), 201);
    } else {
      expectStatus(await repo.close(location, content.digest, chunk(20_000, 30_000), 20_000), 201);
    }
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('may be tiny and many', async () => {
    const small = blob(40);
    let location = await repo.mustStart();
    for (let at = 0; at < small.size; at++) {
      const answer = expectStatus(await repo.patch(location, small.bytes.subarray(at, at + 1), at), 202);
      expect(answer.header('Range')).toBe(`0-${at}`);
      location = locationOf(answer);
    }
    expectStatus(await repo.close(location, small.digest), 201);
    expect((await repo.getBlob(small.digest)).body).toEqual(small.bytes);
  });

  it('may be larger than a part of the store', async () => {
    const large = blob(19 * 2 ** 20 + 5);
    let location = await repo.mustStart();
    for (let at = 0; at < large.size; at += 9 * 2 ** 20) {
      const piece = large.bytes.subarray(at, at + 9 * 2 ** 20);
      location = locationOf(expectStatus(await repo.patch(location, piece, at), 202));
    }
    expectStatus(await repo.close(location, large.digest), 201);
    expect((await repo.getBlob(large.digest)).body.equals(large.bytes)).toBe(true);
  });

  it('may use the first location all along', async () => {
    const small = blob(300);
    const location = await repo.mustStart();
    expectStatus(await repo.patch(location, small.bytes.subarray(0, 100), 0), 202);
    expectStatus(await repo.patch(location, small.bytes.subarray(100, 200), 100), 202);
    expectStatus(await repo.close(location, small.digest, small.bytes.subarray(200), 200), 201);
  });
});

describe('chunks out of order', () => {
  let location = '';
  beforeEach(async () => {
    location = locationOf(expectStatus(await repo.patch(await repo.mustStart(), chunk(0, 10_000), 0), 202));
    return async () => {
      await repo.at(location, 'DELETE');
    };
  });

  const wrong: [string, number, number][] = [
    ['leaves a gap', 20_000, 30_000],
    ['leaves a gap of one byte', 10_001, 20_001],
    ['repeats the last one', 0, 10_000],
    ['overlaps the last one', 5_000, 15_000],
    ['overlaps by one byte', 9_999, 20_000],
  ];

  it.each(wrong)('a PATCH that %s is 416 and changes nothing', async (_, start, end) => {
    expectError(await repo.patch(location, chunk(start, end), start), 416, ['BLOB_UPLOAD_INVALID', 'SIZE_INVALID']);
    await expectStillWorks();
  });

  it.each(wrong)('a closing PUT that %s is 416 and changes nothing', async (_, start, end) => {
    const answer = await repo.close(location, content.digest, chunk(start, end), start);
    expectError(answer, 416, ['BLOB_UPLOAD_INVALID', 'SIZE_INVALID']);
    await expectStillWorks();
  });

  it.each([
    '10000',
    '10000-',
    '-19999',
    'a-b',
    '19999-10000',
    ' 10000 - 19999',
    '1e4-19999',
    '10000-99999999999999999999',
  ])('a Content-Range that cannot be read or is not the body is refused: %s', async (range) => {
    const answer = await repo.at(location, 'PATCH', {
      headers: { 'Content-Range': range },
      body: chunk(10_000, 20_000),
    });
    expectError(answer, [400, 416]);
    await expectStillWorks();
  });

  it('a Content-Range that is longer or shorter than the body is refused', async () => {
    for (const range of ['10000-20000', '10000-19998']) {
      const answer = await repo.at(location, 'PATCH', {
        headers: { 'Content-Range': range },
        body: chunk(10_000, 20_000),
      });
      expectError(answer, [400, 416], ['SIZE_INVALID', 'BLOB_UPLOAD_INVALID']);
    }
    await expectStillWorks();
  });

  async function expectStillWorks(): Promise<void> {
    const status = expectStatus(await repo.at(location, 'GET'), 204);
    expect(status.header('Range')).toBe('0-9999');
    location = locationOf(status);
    location = locationOf(expectStatus(await repo.patch(location, chunk(10_000, 20_000), 10_000), 202));
    expectStatus(await repo.close(location, content.digest, chunk(20_000, 30_000), 20_000), 201);
  }
});

describe('the first chunk', () => {
  it.each([1, 3, 10_000])('is 416 when it starts at %d', async (start) => {
    const location = await repo.mustStart();
    expectError(await repo.patch(location, chunk(start, start + 100), start), 416);
    const status = expectStatus(await repo.at(location, 'GET'), 204);
    expect(status.header('Range')).toBe('0-0');
    expectStatus(await repo.close(locationOf(status), content.digest, content.bytes, 0), 201);
  });

  it('is 416 in a closing PUT that starts later', async () => {
    const location = await repo.mustStart();
    expectError(await repo.close(location, content.digest, chunk(1, 30_000), 1), 416);
    expectStatus(await repo.close(location, content.digest, content.bytes, 0), 201);
  });
});

it('a chunk whose bytes are not those of its length is not taken', async () => {
  const location = await repo.mustStart();
  const headers = { 'Content-Range': '0-9999', 'Content-Type': 'application/octet-stream' };
  const short = await repo.at(location, 'PATCH', { headers, body: () => [chunk(0, 5_000)] });
  expect(short.status).toBeGreaterThanOrEqual(400);
  expect(short.status).toBeLessThan(500);
  const status = expectStatus(await repo.at(location, 'GET'), 204);
  const there = Number(status.header('Range')?.split('-')[1]) + 1;
  expect([1, 5_000], 'nothing, or what came').toContain(there);
  await repo.at(location, 'DELETE');
});
