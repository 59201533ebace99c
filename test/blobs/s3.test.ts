import { openS3Store } from '../../src/blobs/s3.ts';
import { describeBlobStore } from '../contract/blob-store.ts';
import { startFakeS3 } from '../harness/fake-s3.ts';

describeBlobStore('the store in S3', async () => {
  const fake = await startFakeS3({ pageSize: 2 });
  Object.assign(process.env, fake.env);
  return {
    open: () => openS3Store({ ...fake, forcePathStyle: true }),
    async remains() {
      return [...fake.objects(), ...fake.uploads().map(({ uploadId }) => uploadId)];
    },
    [Symbol.asyncDispose]: () => fake.stop(),
  };
});
