/** Everything that the registry refuses, once. Doors translate the code into their own protocol. */

export type RefusalCode =
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'BLOB_UNKNOWN'
  | 'BLOB_IN_USE'
  | 'BLOB_TOO_LARGE'
  | 'UPLOAD_UNKNOWN'
  | 'UPLOAD_BUSY'
  | 'UPLOAD_RANGE'
  | 'UPLOAD_LOST'
  | 'DIGEST_INVALID'
  | 'SIZE_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_IN_USE'
  | 'TAG_INVALID'
  | 'TAG_KIND'
  | 'TAG_MOVED'
  | 'CHART_EXISTS'
  | 'TAG_IMMUTABLE'
  | 'MANIFEST_HELD'
  | 'QUOTA_EXCEEDED'
  | 'REPOSITORY_MOVED'
  | 'DENIED'
  | 'UNSUPPORTED';

/** A request that cannot be done, with a sentence that says what was wrong and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly detail: unknown;
  constructor(code: RefusalCode, message: string, detail?: unknown) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
