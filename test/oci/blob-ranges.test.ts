import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, type Answer } from '../harness/oci-client.ts';

const hub = await testHub();
const repo = await hub.repo();
const SIZE = 10_000;
const content = blob(SIZE);
await repo.mustPush(content);
const get = (range: string, more: Record<string, string> = {}) =>
  repo.getBlob(content.digest, { Range: range, ...more });

describe('one range', () => {
  it.each([
    ['bytes=500-1499', 500, 1_499],
    ['bytes=0-0', 0, 0],
    ['bytes=9999-9999', 9_999, 9_999],
    ['bytes=500-', 500, 9_999],
    ['bytes=0-', 0, 9_999],
    ['bytes=-500', 9_500, 9_999],
    ['bytes=-1', 9_999, 9_999],
    ['bytes=2000-5000', 2_000, 5_000],
    ['bytes=9000-20000', 9_000, 9_999],
    ['bytes=-20000', 0, 9_999],
    ['bytes=0-999999999999999', 0, 9_999],
    ['BYTES=5-9', 5, 9],
  ])('%s is bytes %d to %d', async (range, start, end) => {
    const answer = await get(range);
    expect(answer.status).toBe(206);
    expect(answer.header('Content-Range')).toBe(`bytes ${start}-${end}/${SIZE}`);
    expect(answer.header('Content-Length')).toBe(String(end - start + 1));
    expect(answer.header('Content-Type')).toBe('application/octet-stream');
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    expect(answer.body).toEqual(content.bytes.subarray(start, end + 1));
  });

  it.each(['bytes=10000-', 'bytes=10000-10001', 'bytes=999999999999999-', 'bytes=-0', 'bytes=500-0'])(
    '%s is 416 with the size',
    async (range) => {
      const answer = await get(range);
      expect(answer.status).toBe(416);
      expect(answer.header('Content-Range')).toBe(`bytes */${SIZE}`);
      expect(answer.header('Content-Type') ?? 'none').not.toMatch(/html/);
    },
  );

  it.each(['pages=1-2', 'lines=0-', 'none=0-1'])('%s is another unit and is ignored', async (range) => {
    const answer = await get(range);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(content.bytes);
  });

  it.each([
    'bytes',
    'bytes=',
    'bytes=a-b',
    'bytes=1',
    'bytes=--5',
    'bytes=1-2-3',
    'bytes=+1-2',
    'bytes=0x1-2',
    'bytes=,',
    '5-9',
    'bytes=1.5-2',
    'bytes=99999999999999999999-',
  ])('%s is not a range: all of the blob, or 416, never part of it', async (range) => {
    const answer = await get(range);
    expect([200, 416]).toContain(answer.status);
    if (answer.status === 200) expect(answer.body).toEqual(content.bytes);
  });

  it('has no meaning for HEAD', async () => {
    const answer = await repo.headBlob(content.digest, { Range: 'bytes=0-9' });
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Length')).toBe(String(SIZE));
  });

  it('of an empty blob is never part of anything', async () => {
    const nothing = blob(0);
    await repo.mustPush(nothing);
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
      expect([200, 416]).toContain((await repo.getBlob(nothing.digest, { Range: range })).status);
    }
  });

  it('reads the middle of a large blob', async () => {
    const large = blob(20 * 2 ** 20 + 7);
    await repo.mustPush(large);
    const start = 9 * 2 ** 20 - 3;
    const answer = await repo.getBlob(large.digest, { Range: `bytes=${start}-${start + 99_999}` });
    expect(answer.status).toBe(206);
    expect(answer.body).toEqual(large.bytes.subarray(start, start + 100_000));
  });
});

describe('several ranges', () => {
  it('come as multipart/byteranges, each with its own Content-Range', async () => {
    const answer = await get('bytes=0-9, 500-599,-5');
    expect(answer.status).toBe(206);
    expect(answer.header('Content-Range')).toBeUndefined();
    expect(parts(answer)).toEqual([
      { range: `bytes 0-9/${SIZE}`, type: 'application/octet-stream', bytes: content.bytes.subarray(0, 10) },
      { range: `bytes 500-599/${SIZE}`, type: 'application/octet-stream', bytes: content.bytes.subarray(500, 600) },
      { range: `bytes 9995-9999/${SIZE}`, type: 'application/octet-stream', bytes: content.bytes.subarray(9_995) },
    ]);
    expect(answer.header('Content-Length') ?? String(answer.body.length)).toBe(String(answer.body.length));
  });

  it('leave out those that are beyond the end', async () => {
    const answer = await get('bytes=0-9,20000-30000,30-39');
    expect(answer.status).toBe(206);
    expect(parts(answer).map((part) => part.range)).toEqual([`bytes 0-9/${SIZE}`, `bytes 30-39/${SIZE}`]);
  });

  it('become one when one is left', async () => {
    const answer = await get('bytes=20000-30000,30-39');
    expect(answer.status).toBe(206);
    const single = answer.header('Content-Range') === `bytes 30-39/${SIZE}`;
    const bytes = single ? answer.body : parts(answer)[0]?.bytes;
    expect(bytes).toEqual(content.bytes.subarray(30, 40));
  });

  it('are 416 when all are beyond the end', async () => {
    const answer = await get('bytes=20000-,30000-40000');
    expect(answer.status).toBe(416);
    expect(answer.header('Content-Range')).toBe(`bytes */${SIZE}`);
  });

  it('do not multiply the work: a thousand overlapping ones bring no flood', async () => {
    const answer = await get(`bytes=${Array.from({ length: 1_000 }, (_, at) => `${at}-`).join(',')}`);
    expect([200, 206, 416, 400]).toContain(answer.status);
    expect(answer.body.length).toBeLessThan(10 * SIZE);
  });
});

describe('If-Range and friends', () => {
  it('gives the range while the entity tag is right, and all of it otherwise', async () => {
    const etag = (await repo.headBlob(content.digest)).header('ETag') ?? '';
    expect((await get('bytes=0-9', { 'If-Range': etag })).status).toBe(206);
    for (const value of ['"other"', `W/${etag}`, 'Thu, 01 Jan 2015 00:00:00 GMT']) {
      const answer = await get('bytes=0-9', { 'If-Range': value });
      expect(answer.status, value).toBe(200);
      expect(answer.body).toEqual(content.bytes);
    }
  });

  it('prefers 304 to a range', async () => {
    const etag = (await repo.headBlob(content.digest)).header('ETag') ?? '';
    const answer = await get('bytes=0-9', { 'If-None-Match': etag });
    expect(answer.status).toBe(304);
  });
});

/** Takes a multipart/byteranges body apart (RFC 9110 section 14.6). */
function parts(answer: Answer): { range: string; type: string; bytes: Buffer }[] {
  const boundary = /^multipart\/byteranges; ?boundary="?([^";]+)"?$/.exec(answer.header('Content-Type') ?? '')?.[1];
  expect(boundary, answer.header('Content-Type')).toBeTruthy();
  const text = answer.body.toString('latin1');
  const pieces = text.split(`--${boundary}`);
  expect(pieces.at(-1)).toMatch(/^--(\r\n)?$/);
  return pieces.slice(1, -1).map((piece) => {
    const at = piece.indexOf('\r\n\r\n');
    const head = piece.slice(0, at);
    return {
      range: /^content-range: *(.*)$/im.exec(head)?.[1]?.trim() ?? '',
      type: /^content-type: *(.*)$/im.exec(head)?.[1]?.trim() ?? '',
      bytes: Buffer.from(piece.slice(at + 4, -2), 'latin1'),
    };
  });
}
