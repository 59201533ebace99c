/** What an operator reads when S3 is set up wrongly, and the URLs that clients get when it is right. */
import { afterEach, describe, expect, it } from 'vitest';
import type { S3Options } from '../../src/blobs/s3-client.ts';
import { newKey } from '../../src/blobs/keys.ts';
import { StoreUnavailable } from '../../src/blobs/store.ts';
import { bytes, store } from '../contract/bytes.ts';
import { faults } from '../harness/fake-s3.ts';
import { openOn, remains, useFakeS3 } from './s3-store.ts';

const fake = await useFakeS3();
const right = { ...fake.env };

afterEach(() => {
  Object.assign(process.env, right);
  fake.reset();
});

async function complaint(options: Partial<S3Options> = {}): Promise<string> {
  await using blobs = await openOn(fake, options);
  const error = await blobs.check().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(remains(fake)).toEqual([]);
  return (error as Error).message;
}

describe('the check says what to mend', () => {
  it('when the bucket does not exist', async () => {
    expect(await complaint({ bucket: 'nowhere' })).toMatch('the bucket "nowhere" does not exist');
  });

  it('when the secret is wrong', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    expect(await complaint()).toMatch('does not accept the credentials');
  });

  it('when the access key is unknown', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'UNKNOWN';
    expect(await complaint()).toMatch('does not accept the credentials');
  });

  it('when nobody answers', async () => {
    expect(await complaint({ endpoint: 'http://127.0.0.1:1' })).toMatch('http://127.0.0.1:1 cannot be reached');
  });

  it('when the right to list is missing', async () => {
    fake.fail('HeadBucket', { kind: 'refuse', status: 403, code: 'AccessDenied' }, Infinity);
    expect(await complaint()).toMatch('s3:ListBucket');
  });

  it('when the server is broken', async () => {
    fake.fail('PutObject', faults.internalError, Infinity);
    expect(await complaint()).toMatch(/does not work .*InternalError/);
  });
});

describe('redirects', () => {
  it('are offered only where clients can be expected to reach S3', async () => {
    await using hidden = await openOn(fake);
    await using open = await openOn(fake, { publicEndpoint: 'https://s3.example.com' });
    expect(hidden.presign).toBeUndefined();
    const url = new URL((await open.presign?.('objects/ab/cd', { seconds: 60, contentType: 'text/plain' })) ?? '');
    expect(url.origin + url.pathname).toBe(`https://s3.example.com/${fake.bucket}/objects/ab/cd`);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('60');
  });

  it('serve the object to whoever holds the URL, and nothing else', async () => {
    await using blobs = await openOn(fake, { publicEndpoint: fake.endpoint });
    const key = newKey();
    await store(blobs, key, bytes(1_000));
    const filename = 'a "b" ü.tgz';
    const url = (await blobs.presign?.(key, { seconds: 60, contentType: 'application/x-tar', filename })) ?? '';
    const whole = await fetch(url);
    expect(whole.headers.get('content-type')).toBe('application/x-tar');
    expect(whole.headers.get('content-disposition')).toBe(
      `attachment; filename="a__b___.tgz"; filename*=UTF-8''a%20%22b%22%20%C3%BC.tgz`,
    );
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes(1_000));
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, bytes(1_000).subarray(10, 20)]);
    expect((await fetch(url.replace(key, newKey()))).status).toBe(403);
  });
});
