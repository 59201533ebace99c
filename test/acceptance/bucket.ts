import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';

export interface Bucket {
  /** What a hub needs to be told to keep its bytes here. */
  settings: Record<string, string>;
  remove(): Promise<void>;
}

/** A new bucket for one hub: a hub refuses the bucket of another, as its own bytes could not be told apart there. */
export async function makeBucket(endpoint: string): Promise<Bucket> {
  const { BERTH_TEST_S3_ACCESS_KEY: accessKeyId = '', BERTH_TEST_S3_SECRET_KEY: secretAccessKey = '' } = process.env;
  const region = process.env.AWS_REGION ?? 'us-east-1';
  const name = `berth-acceptance-${randomBytes(6).toString('hex')}`;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  return {
    settings: {
      BERTH_S3_BUCKET: name,
      BERTH_S3_ENDPOINT: endpoint,
      BERTH_S3_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    async remove() {
      await empty(s3, name);
      await s3.send(new DeleteBucketCommand({ Bucket: name }));
      s3.destroy();
    },
  };
}

async function empty(s3: S3Client, Bucket: string): Promise<void> {
  const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of uploads.Uploads ?? []) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    if (Contents.length === 0) return;
    await Promise.all(Contents.map(({ Key }) => s3.send(new DeleteObjectCommand({ Bucket, Key }))));
  }
}
