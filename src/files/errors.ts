/** Every error under /files, once: a line for people at a terminal, or problem details (RFC 9457) for who asks for JSON. */
import type { Context } from 'koa';
import { InvalidCredentials, TooManyAttempts } from '../auth/errors.ts';
import { ObjectMissing, StoreFull, StoreUnavailable } from '../blobs/store.ts';
import { DatabaseUnavailable } from '../db/errors.ts';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { RangeNotSatisfiable } from '../http/send.ts';
import { FileRefusal, type FileRefusalCode } from '../registry/files/refusal.ts';
import { Refusal, type RefusalCode } from '../registry/refusal.ts';

/** By the last part of `type`; docs/files.md says the same in prose. */
export type FileErrorName =
  | 'name-invalid'
  | 'path-invalid'
  | 'version-invalid'
  | 'request-invalid'
  | 'checksum-mismatch'
  | 'unauthenticated'
  | 'forbidden'
  | 'quota-exceeded'
  | 'not-found'
  | 'method-not-allowed'
  | 'conflict'
  | 'precondition-failed'
  | 'too-large'
  | 'range-not-satisfiable'
  | 'wrong-offset'
  | 'unsupported-media-type'
  | 'too-many-requests'
  | 'internal'
  | 'unavailable'
  | 'storage-full';

export class FileError extends Error {
  override readonly name = 'FileError';
  readonly status: number;
  readonly problem: FileErrorName;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, problem: FileErrorName, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
    this.headers = headers;
  }
}

const FILE_REFUSALS: Record<FileRefusalCode, readonly [status: number, problem: FileErrorName]> = {
  PATH_INVALID: [400, 'path-invalid'],
  PATH_CONFLICT: [409, 'conflict'],
  VERSION_INVALID: [400, 'version-invalid'],
  VERSION_UNKNOWN: [404, 'not-found'],
  FILE_UNKNOWN: [404, 'not-found'],
  VERSION_FINAL: [409, 'conflict'],
  VERSION_REFERRED: [409, 'conflict'],
  VERSION_IMMUTABLE: [409, 'conflict'],
  VERSION_FULL: [413, 'too-large'],
  NOT_FILES: [409, 'conflict'],
  PROPERTY_INVALID: [400, 'request-invalid'],
  CHECKSUM_UNKNOWN: [404, 'not-found'],
  CHECKSUM_UNSUPPORTED: [400, 'request-invalid'],
  PRECONDITION_FAILED: [412, 'precondition-failed'],
};

/** What the registry refuses of every artifact, where it can come up here; anything else is a 409. */
const REFUSALS: Partial<Record<RefusalCode, readonly [status: number, problem: FileErrorName]>> = {
  NAME_UNKNOWN: [404, 'not-found'],
  BLOB_UNKNOWN: [404, 'not-found'],
  BLOB_TOO_LARGE: [413, 'too-large'],
  UPLOAD_UNKNOWN: [409, 'conflict'],
  UPLOAD_RANGE: [416, 'wrong-offset'],
  DIGEST_INVALID: [400, 'checksum-mismatch'],
  SIZE_INVALID: [400, 'request-invalid'],
  MANIFEST_UNKNOWN: [404, 'not-found'],
  QUOTA_EXCEEDED: [403, 'quota-exceeded'],
  REPOSITORY_MOVED: [403, 'forbidden'],
  DENIED: [403, 'forbidden'],
};

const RETRY = { 'Retry-After': '5' };

/** What a client is told about `error`; anything unforeseen is a 500 without particulars. */
export function toFileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  if (error instanceof FileRefusal) return new FileError(...FILE_REFUSALS[error.code], error.message);
  if (error instanceof Refusal) {
    const offset = error.code === 'UPLOAD_RANGE' ? (error.detail as { size: number }).size : undefined;
    const headers: Record<string, string> = offset === undefined ? {} : { 'Upload-Offset': String(offset) };
    return new FileError(...(REFUSALS[error.code] ?? ([409, 'conflict'] as const)), error.message, headers);
  }
  if (error instanceof TooManyAttempts) {
    return new FileError(429, 'too-many-requests', error.message, { 'Retry-After': String(error.retryAfterSeconds) });
  }
  if (error instanceof InvalidCredentials) return unauthenticated(error.message);
  if (error instanceof BodyTooLarge) return new FileError(413, 'too-large', error.message);
  if (error instanceof RangeNotSatisfiable) return new FileError(416, 'range-not-satisfiable', error.message);
  if (error instanceof BodyAborted) return new FileError(400, 'request-invalid', error.message);
  if (error instanceof StoreFull) {
    return new FileError(507, 'storage-full', 'The storage is full; tell the operator, then try again', RETRY);
  }
  if (error instanceof DatabaseUnavailable || error instanceof StoreUnavailable || error instanceof ObjectMissing) {
    return new FileError(503, 'unavailable', 'The hub cannot reach its storage right now; try again', RETRY);
  }
  return new FileError(
    500,
    'internal',
    'Something went wrong in the hub; its log has the particulars under this request id',
  );
}

/** Asking for Basic is what lets curl and browsers know what to send. */
export function unauthenticated(message: string): FileError {
  return new FileError(401, 'unauthenticated', message, {
    'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"',
  });
}

/** The one answer for what is missing and what is hidden. */
export function notFound(): FileError {
  return new FileError(404, 'not-found', 'There is no such repository, or you may not see it');
}

export function writeFileError(ctx: Context, error: FileError): void {
  const requestId = ctx.state['requestId'] as string;
  // What a handler had said about the content it was about to send does not hold for the error.
  for (const name of ['ETag', 'Accept-Ranges', 'Content-Disposition', 'Content-Location', 'Repr-Digest']) {
    ctx.remove(name);
  }
  if (error.status !== 416) ctx.remove('Content-Range');
  ctx.status = error.status;
  ctx.set({ 'Cache-Control': 'no-store', ...error.headers });
  if (wantsJson(ctx)) {
    ctx.set('Content-Type', 'application/problem+json');
    const { status, message } = error;
    ctx.body = JSON.stringify({
      type: `urn:berth:problem:${error.problem}`,
      title: error.problem.replaceAll('-', ' '),
      status,
      detail: message,
      request_id: requestId,
    });
    return;
  }
  ctx.set('Content-Type', 'text/plain; charset=utf-8');
  ctx.body = `${error.message}\n`;
}

/** Whether the client names JSON; `*` + `/*`, which curl sends, does not. */
export function wantsJson(ctx: Context): boolean {
  return /\bapplication\/(?:[a-z.-]+\+)?json\b/i.test(ctx.get('Accept'));
}
