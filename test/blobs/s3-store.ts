/** Stores on the fake. */
import { afterAll } from 'vitest';
import type { S3Options } from '../../src/blobs/s3-client.ts';
import { openS3Store } from '../../src/blobs/s3.ts';
import { startFakeS3, type FakeS3, type FakeS3Options } from '../harness/fake-s3.ts';

/** A fake for one test file; its credentials are in the environment, as the SDK expects them. */
export async function useFakeS3(options?: FakeS3Options): Promise<FakeS3> {
  const fake = await startFakeS3(options);
  Object.assign(process.env, fake.env);
  afterAll(() => fake.stop());
  return fake;
}

export function openOn({ endpoint, bucket, region }: FakeS3, options: Partial<S3Options> = {}) {
  return openS3Store({ endpoint, bucket, region, forcePathStyle: true, ...options });
}

/** Everything that is stored. */
export function remains(fake: FakeS3): string[] {
  return [...fake.objects(), ...fake.uploads().map(({ uploadId }) => uploadId)];
}
