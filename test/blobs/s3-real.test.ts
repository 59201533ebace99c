/** The contract against a real server: BERTH_TEST_S3_ENDPOINT, _BUCKET (which must exist), _ACCESS_KEY, _SECRET_KEY. */
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  type ListMultipartUploadsCommandOutput,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { openS3Store } from '../../src/blobs/s3.ts';
import { describeBlobStore } from '../contract/blob-store.ts';

const NAMES = ['ENDPOINT', 'BUCKET', 'ACCESS_KEY', 'SECRET_KEY'].map((name) => `BERTH_TEST_S3_${name}`);
const settings = NAMES.map((name) => process.env[name]);

it('has all settings of a real server, or none', () => {
  const missing = NAMES.filter((_, index) => settings[index] === undefined);
  expect([[], NAMES]).toContainEqual(missing);
});

if (settings.every((value) => value !== undefined)) {
  const [endpoint, bucket, accessKeyId, secretAccessKey] = settings as [string, string, string, string];
  const options = { endpoint, bucket, region: process.env['AWS_REGION'] ?? 'us-east-1', forcePathStyle: true };

  describeBlobStore(`the store in ${endpoint}`, async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
    const client = new S3Client(options);
    return {
      open: () => openS3Store(options),
      async remains() {
        const target = { Bucket: bucket, Prefix: 'objects/' };
        const objects = await client.send(new ListObjectsV2Command(target));
        const uploads: ListMultipartUploadsCommandOutput = await client.send(new ListMultipartUploadsCommand(target));
        return [...(objects.Contents ?? []), ...(uploads.Uploads ?? [])].map(({ Key }) => Key ?? '');
      },
      mayStartAgain: true,
      async [Symbol.asyncDispose]() {
        client.destroy();
      },
    };
  });
}
