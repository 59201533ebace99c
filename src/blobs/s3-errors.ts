/** What S3, the network and the SDK say, in the words of the store interface. */
import { ObjectMissing, StoreFull, StoreUnavailable } from './store.ts';

const MISSING = new Set(['NoSuchKey', 'NotFound']);
const FULL = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull']);

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** S3's error code (`NoSuchKey`), the system's (`ECONNREFUSED`), or the error's name. */
export function codeOf(error: unknown): string {
  const { name, code } = error as SdkError;
  return typeof code === 'string' ? code : (name ?? 'Error');
}

/** HTTP status of the answer, if there was one. */
export function statusOf(error: unknown): number | undefined {
  return (error as SdkError).$metadata?.httpStatusCode;
}

/** The multipart upload is gone: completed, aborted, or expired by a rule of the bucket. */
export function isNoSuchUpload(error: unknown): boolean {
  return (error as SdkError).name === 'NoSuchUpload';
}

/** A part of the upload is not the one whose ETag was noted. Some servers say so as well of an upload with more parts. */
export function isInvalidPart(error: unknown): boolean {
  return (error as SdkError | undefined)?.name === 'InvalidPart';
}

/**
 * A missing object becomes `ObjectMissing`, a full store `StoreFull`; whatever else an SDK call throws, after the SDK's
 * own retries, `StoreUnavailable`: network trouble, 5xx, SlowDown, time limits, refused or expired credentials.
 */
export function s3Error(error: unknown, doing: string): Error {
  if (error instanceof ObjectMissing || error instanceof StoreFull || error instanceof StoreUnavailable) return error;
  const text = `${doing}: ${codeOf(error)}: ${(error as SdkError).message ?? ''}`;
  if (MISSING.has((error as SdkError).name ?? '')) return new ObjectMissing(text, { cause: error });
  if (FULL.has(codeOf(error)) || statusOf(error) === 507) return new StoreFull(text, { cause: error });
  return new StoreUnavailable(text, { cause: error });
}
