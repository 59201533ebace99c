/** What an unfinished S3 object consists of, and how it is cut into parts. */

/** One uploaded part of a multipart upload, as CompleteMultipartUpload wants it. */
export interface Part {
  readonly n: number;
  readonly etag: string;
  readonly size: number;
}

/** An object that holds the bytes after the last part. */
export interface Tail {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/**
 * The object's bytes are those of `parts`, then those of `tail`.
 *
 * - A first suspension with at most one part's worth of bytes puts them under the object's own key: `tail.key` is the
 *   key, and an object to which nothing is added is finished already.
 * - Later the tail is one of the two tail keys. If there is an upload, the same bytes are also its part `last`, which
 *   becomes the final part when nothing is added, and is overwritten otherwise.
 *
 * This is kept in rows that an older or newer version may read: fields are added, never changed.
 */
export interface S3State {
  readonly uploadId?: string;
  readonly parts: readonly Part[];
  readonly tail?: Tail;
  readonly last?: Part;
}

export const NEW_STATE: S3State = { parts: [] };

const MIB = 1024 * 1024;
/** S3's limits: 10,000 parts, at least 5 MiB each (but the last). Not a limit here: 5 GiB a part. */
export const MAX_PARTS = 10_000;
/** The size of the first parts, and of the largest object that is put with one request. */
export const FIRST_PART = 8 * MIB;

/**
 * Bytes of part `n` (from 1), unless it is the last one. All parts up to 23 GiB have the same size, which some
 * servers insist on; 86 GiB are reached with 32 MiB, and 10,000 parts are 5.15 TiB.
 */
export function partSize(n: number): number {
  if (n <= 3_000) return FIRST_PART;
  if (n <= 5_000) return 32 * MIB;
  if (n <= 7_000) return 256 * MIB;
  return 1_600 * MIB;
}
