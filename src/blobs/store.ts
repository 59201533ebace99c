/**
 * Where bytes live. Two implementations, `disk.ts` and `s3.ts`, pass one contract suite (`test/contract/blob-store.ts`).
 *
 * A key is opaque, random, never reused, and recorded in Postgres before its first byte is written, so whatever a crash
 * leaves behind has an owner: an `uploads`, `blobs` or `dead_objects` row. The store itself never lists anything.
 */

/** Bytes `start..end`, both inclusive, as in RFC 9110 section 14. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * An object that is still being written. It is what the `uploads` row remembers between two requests, so that any
 * worker or replica can go on: `state` belongs to the store and is plain JSON.
 */
export interface UnfinishedObject {
  readonly key: string;
  /** Bytes that are durable: what a crash right now would leave. */
  readonly size: number;
  readonly state: unknown;
}

/** Appends to one object. One writer per object at a time; the caller holds the upload's claim. */
export interface ObjectWriter extends AsyncDisposable {
  /**
   * Takes the chunk: it is the writer's from now on, and its memory may be gone when it is written. Resolves when more may
   * come: that is the backpressure.
   */
  write(chunk: Buffer): Promise<void>;
  /** Makes everything written so far durable and says what to remember. The writer cannot be used afterwards. */
  suspend(): Promise<UnfinishedObject>;
  /**
   * Makes the object complete, durable and readable under its key. The writer cannot be used afterwards.
   * Works for zero bytes too. May be repeated from the last remembered state when nothing was appended since, as after
   * a crash before the caller could note that it was done.
   * @returns keys of its own that it could not remove; the caller has them deleted
   */
  finish(): Promise<readonly string[]>;
  /**
   * Lets go of handles and memory; bytes since the last `suspend` may be lost. Idempotent, also after the others.
   * What is still going on fails.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BlobStore extends AsyncDisposable {
  readonly kind: 'disk' | 's3';
  /**
   * Opens a writer that appends after `object.size`; a new object has size 0 and state null.
   * `expected` is the number of bytes about to come when the client declared it: a hint for how to write them.
   * @throws {ObjectMissing} here or later from the writer, when what was durable is gone: the upload can only be
   * started again
   */
  write(object: UnfinishedObject, expected?: number): Promise<ObjectWriter>;
  /**
   * Bytes of a finished object, in order, or of a range that lies within it. A yielded chunk is valid only until the
   * next one is asked for.
   * @throws {ObjectMissing} before the first chunk, when there is no such object
   */
  read(key: string, range?: ByteRange): AsyncIterable<Buffer>;
  /** Size of a finished object in bytes, or undefined when there is none. */
  size(key: string): Promise<number | undefined>;
  /** Removes a finished or unfinished object with all it left behind (parts, tails). Idempotent. */
  delete(key: string): Promise<void>;
  /** The same for many, in the cheapest way and without haste: those who read and write meanwhile come first. */
  deleteAll(keys: readonly string[]): Promise<Deleted>;
  /** So many keys are a good number for `deleteAll`: seconds of work at most. */
  readonly deletesAtOnce: number;
  /** Throws `StoreUnavailable` unless the store can be written to and read from. For start-up and /readyz. */
  check(): Promise<void>;
}

/** What became of a request to delete several objects. What failed can be tried again. */
export interface Deleted {
  readonly gone: readonly string[];
  /** The first. Others were tried all the same, unless the store was seen to be down. */
  readonly failure: Error | undefined;
}

/** A capability, not a duty: stores whose objects clients can fetch themselves. */
export interface Redirects {
  /** A URL that serves the object with GET to whoever holds it, for `seconds` at most. */
  presign(key: string, options: { seconds: number; contentType: string; filename?: string }): Promise<string>;
}

export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';
}

/** The store cannot serve now; a retry may work. Becomes 503 with Retry-After. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** No space left. Becomes 507. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}
