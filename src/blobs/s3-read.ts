/** Streams an object; counts what arrives, because a body that is cut short looks like a short object. */
import type { Readable } from 'node:stream';
import { freeChunk } from './chunk-memory.ts';
import type { S3 } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import { ObjectMissing, StoreUnavailable, type ByteRange } from './store.ts';

/** How often one read goes on where a body broke off. */
const CONTINUATIONS = 3;

/**
 * Yields the bytes of `key`, or of `range` in it.
 * @throws {ObjectMissing} when there is no such object, or it does not have `etag`
 */
export async function* readObject(
  s3: S3,
  key: string,
  range?: ByteRange,
  etag?: string,
): AsyncGenerator<Buffer, void, void> {
  const doing = `read ${key}`;
  let position = range?.start ?? 0;
  let end = range === undefined ? undefined : range.end + 1;
  for (let continued = 0; ; continued++) {
    const body = await get(s3, key, position, end).catch((error: unknown) => {
      const known = s3Error(error, doing);
      throw continued === 0 ? known : new StoreUnavailable(known.message, { cause: error });
    });
    if (etag !== undefined && body.etag !== etag) {
      body.stream.destroy();
      throw new ObjectMissing(`${doing}: it has been replaced`);
    }
    end ??= body.length;
    let trouble: unknown;
    try {
      for await (const chunk of impatient(body.stream, s3.timeout)) {
        position += chunk.length;
        if (position > end) throw new StoreUnavailable(`${doing}: the body is longer than announced`);
        yield chunk;
      }
    } catch (error) {
      trouble = error;
    } finally {
      body.stream.destroy();
    }
    if (position === end) return;
    // An object never changes under its key, so going on from here gives the same bytes as a read without a break.
    if (continued === CONTINUATIONS || position > end) {
      throw s3Error(trouble ?? new Error('the connection ended'), `${doing}: cut off at byte ${position} of ${end}`);
    }
  }
}

/** Asks for `start` to `end` (exclusive), or for all when `end` is not known, and makes sure that this is what comes. */
async function get(s3: S3, key: string, start: number, end: number | undefined) {
  const range = end === undefined ? undefined : `bytes=${start}-${end - 1}`;
  const command = new s3.sdk.GetObjectCommand({
    Bucket: s3.bucket,
    Key: key,
    ...(range === undefined ? {} : { Range: range }),
  });
  const { Body, ContentLength: length, ContentRange: part, ETag: etag } = await s3.reader.send(command);
  const stream = Body as Readable;
  const asAsked =
    end === undefined || (length === end - start && part?.startsWith(`bytes ${start}-${end - 1}/`) === true);
  if (length === undefined || !asAsked) {
    stream.destroy();
    throw new StoreUnavailable(
      `S3 answered ${range ?? 'a read'} of ${key} with ${length} bytes, ${part ?? 'no range'}`,
    );
  }
  return { stream, length, etag };
}

/** Gives up when no byte comes for `patience` milliseconds while one is waited for; the consumer may take its time. */
async function* impatient(stream: Readable, patience: number): AsyncGenerator<Buffer, void, void> {
  let waiting = true;
  const timer = setTimeout(() => {
    if (waiting) stream.destroy(new Error(`no byte came for ${patience} ms`));
  }, patience);
  try {
    for await (const chunk of stream) {
      waiting = false;
      yield chunk as Buffer;
      freeChunk(chunk as Buffer);
      waiting = true;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
}
