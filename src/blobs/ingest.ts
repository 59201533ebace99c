/**
 * The one pipeline that every uploaded byte goes through: count, limit, hash, store. Each chunk waits until the store has
 * room for it, so memory per upload is what the store's writer holds, whatever the sizes and speeds.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Algorithm } from './digest.ts';
import type { ObjectWriter } from './store.ts';

/** Running digests of the first `offset` bytes of an object. */
export interface Hashes {
  offset: number;
  readonly sha256: Hash;
  readonly sha512: Hash | undefined;
}

export class TooManyBytes extends Error {
  override readonly name = 'TooManyBytes';
}

/** Digests for an object that has no bytes yet. sha256 always: it is what blobs are keyed by. */
export function startHashes(algorithm: Algorithm): Hashes {
  return {
    offset: 0,
    sha256: createHash('sha256'),
    sha512: algorithm === 'sha512' ? createHash('sha512') : undefined,
  };
}

export interface IngestOptions {
  /** Undefined when the digest of what is stored already is not known here: then nothing is hashed. */
  readonly hashes: Hashes | undefined;
  /** Most bytes to accept in this call. */
  readonly limit: number;
  /** Called before each write with the bytes of this call so far; what it returns is waited for. */
  readonly room?: ((bytes: number) => Promise<void> | undefined) | undefined;
  /** Called before each write; throws when this writer may not write any more. */
  readonly check: () => void;
}

export interface Ingested {
  readonly bytes: number;
  /** What stopped the body when it did not end well; what came before it is in the writer. */
  readonly failure: Error | undefined;
}

/**
 * Moves `body` into `writer`.
 * @throws {TooManyBytes} beyond the limit, and whatever the store throws
 */
export async function ingest(
  body: AsyncIterable<Buffer>,
  writer: ObjectWriter,
  options: IngestOptions,
): Promise<Ingested> {
  const { hashes, limit, room, check } = options;
  let bytes = 0;
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await iterator.next();
      } catch (failure) {
        return { bytes, failure: failure as Error };
      }
      if (next.done) return { bytes, failure: undefined };
      const chunk = next.value;
      if (bytes + chunk.length > limit) throw new TooManyBytes(`More than ${limit} bytes`);
      bytes += chunk.length;
      const making = room?.(bytes);
      if (making) await making;
      if (hashes) {
        hashes.sha256.update(chunk);
        hashes.sha512?.update(chunk);
        hashes.offset += chunk.length;
      }
      check();
      await writer.write(chunk);
    }
  } finally {
    await iterator.return?.();
  }
}
