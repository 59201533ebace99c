/** The requests of one multipart upload. */
import type { S3 } from './s3-client.ts';
import { head, limits, limitsToTheEnd } from './s3-client.ts';
import { codeOf, isInvalidPart, isNoSuchUpload, s3Error, statusOf } from './s3-errors.ts';
import type { Part } from './s3-state.ts';
import { ObjectMissing, StoreUnavailable } from './store.ts';

/** Parts that S3 puts together in the time that a small request has; 10,000 have eleven times as long. */
const ASSEMBLY_PARTS = 1_000;
const ASSEMBLY_ROUNDS = 2;
/** Milliseconds spent on taking back an upload that nobody will continue; deleting its key removes it as well. */
const ABORT_PATIENCE = 5_000;
/** More than enough: each round aborts all that a listing shows. */
const ABORT_ROUNDS = 5;

/** Starts an upload of `key` and returns its id. */
export async function createUpload(s3: S3, key: string): Promise<string> {
  try {
    const command = new s3.sdk.CreateMultipartUploadCommand({ Bucket: s3.bucket, Key: key });
    const { UploadId } = await s3.client.send(command, limitsToTheEnd(s3));
    if (UploadId === undefined) throw new StoreUnavailable('the answer names no upload');
    return UploadId;
  } catch (error) {
    throw s3Error(error, `start the upload of ${key}`);
  }
}

/**
 * Uploads part `n`. May be broken off: a part that arrives late cannot become visible, unlike an object.
 * @throws {ObjectMissing} when the upload is gone, so that it can only be started again
 */
export async function uploadPart(
  s3: S3,
  key: string,
  uploadId: string,
  n: number,
  body: Buffer,
  signal: AbortSignal,
): Promise<Part> {
  const command = new s3.sdk.UploadPartCommand({
    Bucket: s3.bucket,
    Key: key,
    UploadId: uploadId,
    PartNumber: n,
    Body: body,
    ContentLength: body.length,
  });
  try {
    const { ETag } = await s3.client.send(command, limits(s3, body.length, signal));
    if (ETag === undefined) throw new StoreUnavailable('the answer has no ETag');
    return { n, etag: ETag, size: body.length };
  } catch (error) {
    if (isNoSuchUpload(error)) throw new ObjectMissing(`the upload of ${key} is gone`, { cause: error });
    throw s3Error(error, `upload part ${n} of ${key}`);
  }
}

/**
 * Assembles the parts into the object. An answer that is an error (which can come with status 200), or none, does not
 * say that nothing happened, so the object itself is asked before the request is repeated or given up. A client waits for
 * this: it ends, well or not, after the time of two requests, and what it began can be completed later.
 * @throws {ObjectMissing} when there is no object, and the upload is gone or its parts are others: it can only be
 * started again
 */
export async function completeUpload(s3: S3, key: string, uploadId: string, parts: readonly Part[]): Promise<void> {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const command = new s3.sdk.CompleteMultipartUploadCommand({
    Bucket: s3.bucket,
    Key: key,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts.map(({ n, etag }) => ({ PartNumber: n, ETag: etag })) },
  });
  const requestTimeout = Math.ceil(s3.timeout * (1 + parts.length / ASSEMBLY_PARTS));
  const deadline = AbortSignal.timeout(2 * requestTimeout);
  for (let round = 1; ; round++) {
    try {
      await s3.client.send(command, { requestTimeout, abortSignal: deadline });
      return;
    } catch (error) {
      if ((await head(s3, key, AbortSignal.timeout(s3.timeout)))?.size === size) return;
      if (isNoSuchUpload(error)) throw new ObjectMissing(`the upload of ${key} is gone`, { cause: error });
      if (isInvalidPart(error)) throw new ObjectMissing(`the parts of ${key} have changed`, { cause: error });
      if (deadline.aborted) {
        throw new StoreUnavailable(`complete ${key}: not done after ${2 * requestTimeout} ms`, { cause: error });
      }
      if (round < ASSEMBLY_ROUNDS && !isRefusal(error)) continue;
      // Ceph answers 500 for an upload that has been aborted.
      if (statusOf(error) !== undefined && (await isGone(s3, key, uploadId))) {
        throw new ObjectMissing(`the upload of ${key} is gone`, { cause: error });
      }
      throw s3Error(error, `complete ${key}`);
    }
  }
}

/** A definite answer, which a repetition would not change. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 500;
  return status >= 400 && status < 500 && codeOf(error) !== 'RequestTimeout';
}

async function isGone(s3: S3, key: string, uploadId: string): Promise<boolean> {
  try {
    const command = new s3.sdk.ListPartsCommand({ Bucket: s3.bucket, Key: key, UploadId: uploadId, MaxParts: 1 });
    await s3.client.send(command, limitsToTheEnd(s3));
    return false;
  } catch (error) {
    return statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket';
  }
}

/** Takes back an upload of which no row knows; never throws. */
export async function abandonUpload(s3: S3, key: string, uploadId: string): Promise<void> {
  await abort(s3, key, uploadId, AbortSignal.timeout(ABORT_PATIENCE)).catch(() => undefined);
}

/** Aborts every open upload of exactly this key. */
export async function abortUploads(s3: S3, key: string): Promise<void> {
  try {
    // A part that is being written while its upload is aborted can survive, so the listing has the last word.
    for (let round = 1; ; round++) {
      const open = await openUploads(s3, key);
      if (open.length === 0) return;
      if (round === ABORT_ROUNDS) throw new StoreUnavailable(`${open.length} uploads do not go away`);
      for (const uploadId of open) await abort(s3, key, uploadId);
    }
  } catch (error) {
    throw s3Error(error, `abort uploads of ${key}`);
  }
}

async function abort(s3: S3, key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
  const command = new s3.sdk.AbortMultipartUploadCommand({ Bucket: s3.bucket, Key: key, UploadId: uploadId });
  await s3.client.send(command, limits(s3, 0, signal)).catch((error: unknown) => {
    if (!isNoSuchUpload(error)) throw error;
  });
}

async function openUploads(s3: S3, key: string): Promise<string[]> {
  const open: string[] = [];
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await s3.client.send(
      new s3.sdk.ListMultipartUploadsCommand({ Bucket: s3.bucket, Prefix: key, ...marker }),
      limitsToTheEnd(s3),
    );
    for (const { Key, UploadId } of page.Uploads ?? []) if (Key === key && UploadId !== undefined) open.push(UploadId);
    const { NextKeyMarker, NextUploadIdMarker } = page;
    if (page.IsTruncated !== true || NextKeyMarker === undefined || NextKeyMarker > key) return open;
    marker =
      NextUploadIdMarker === undefined
        ? { KeyMarker: NextKeyMarker }
        : { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
  }
}
