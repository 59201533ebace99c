/** What can be wrong with files and versions, besides what the registry refuses of every artifact (`refusal.ts`). */

export type FileRefusalCode =
  | 'PATH_INVALID'
  | 'PATH_CONFLICT'
  | 'VERSION_INVALID'
  | 'VERSION_UNKNOWN'
  | 'FILE_UNKNOWN'
  | 'VERSION_FINAL'
  | 'VERSION_REFERRED'
  | 'VERSION_IMMUTABLE'
  | 'VERSION_FULL'
  | 'NOT_FILES'
  | 'PROPERTY_INVALID'
  | 'CHECKSUM_UNKNOWN'
  | 'CHECKSUM_UNSUPPORTED'
  | 'PRECONDITION_FAILED';

/** A request about files that cannot be done, with a sentence that says what was wrong and what to do. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal';
  readonly code: FileRefusalCode;
  constructor(code: FileRefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}
