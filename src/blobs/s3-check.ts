/** What an operator has to mend, told from the error that S3, the network or the SDK gave. */
import { probe } from './probe.ts';
import type { S3, S3Options } from './s3-client.ts';
import { codeOf, statusOf } from './s3-errors.ts';
import { StoreUnavailable, type BlobStore } from './store.ts';

/**
 * Writes, reads and deletes an object, and asks for the bucket.
 * @throws {StoreUnavailable} that says what to change
 */
export async function checkS3(store: BlobStore, s3: S3, options: S3Options): Promise<void> {
  try {
    await probe(store);
    // Without the right to list, S3 says "forbidden" where an object is missing.
    await s3.client.send(new s3.sdk.HeadBucketCommand({ Bucket: s3.bucket }));
  } catch (error) {
    const cause = rootOf(error);
    throw new StoreUnavailable(`${advice(cause, options)} (${codeOf(cause)}: ${(cause as Error).message})`, {
      cause: error,
    });
  }
}

/** The error of the SDK or the system, below those that were wrapped around it. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof StoreUnavailable && root.cause !== undefined) root = root.cause;
  return root;
}

function advice(error: unknown, { bucket, region, endpoint }: S3Options): string {
  const where = endpoint ?? `AWS in ${region}`;
  switch (codeOf(error)) {
    case 'NoSuchBucket':
    case 'NotFound':
      return `the bucket "${bucket}" does not exist at ${where}: create it, or correct BERTH_S3_BUCKET`;
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'ExpiredToken':
    case 'InvalidToken':
      return `${where} does not accept the credentials: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role`;
    case 'CredentialsProviderError':
      return 'there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the process a role';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return `the bucket "${bucket}" is not in region ${region}: correct BERTH_S3_REGION`;
    case 'RequestTimeTooSkewed':
      return `the clock of this machine differs from that of ${where}: correct it`;
  }
  const status = statusOf(error);
  if (status === 403) {
    return `the credentials may not use the bucket "${bucket}": allow s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucketMultipartUploads`;
  }
  if (status === undefined) return `${where} cannot be reached: check BERTH_S3_ENDPOINT and the network`;
  return `${where} does not work`;
}
