import { openS3Store } from '../../src/blobs/s3.ts';
import { describeBlobStore } from '../contract/blob-store.ts';
import { startFakeS3 } from '../harness/fake-s3.ts';
import { remains } from './s3-store.ts';

describeBlobStore('the store in S3', async () => {
  const fake = await startFakeS3({ pageSize: 2 });
  Object.assign(process.env, fake.env);
  const { endpoint, bucket, region } = fake;
  return {
    open: () => openS3Store({ endpoint, bucket, region, forcePathStyle: true }),
    remains: async () => remains(fake),
    [Symbol.asyncDispose]: () => fake.stop(),
  };
});
