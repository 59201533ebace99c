/** Every error under /v2, once: the specification's JSON with its codes (distribution-spec, "Error Codes"). */
import type { Context } from 'koa';
import { InvalidCredentials, ProviderUnavailable, TooManyAttempts } from '../auth/errors.ts';
import { StoreFull, StoreUnavailable, ObjectMissing } from '../blobs/store.ts';
import { DatabaseUnavailable } from '../db/errors.ts';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { RangeNotSatisfiable } from '../http/send.ts';
import { Refusal, type RefusalCode } from '../registry/refusal.ts';

type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  /** Not of the specification, but what every registry says and clients print. */
  | 'UNAVAILABLE'
  | 'UNKNOWN';

/** An answer that is an error. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly status: number;
  readonly code: OciCode;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, code: OciCode, message: string, detail?: unknown, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.headers = headers;
  }
}

const REFUSALS: Record<RefusalCode, readonly [status: number, code: OciCode]> = {
  NAME_INVALID: [400, 'NAME_INVALID'],
  NAME_UNKNOWN: [404, 'NAME_UNKNOWN'],
  BLOB_UNKNOWN: [404, 'BLOB_UNKNOWN'],
  BLOB_IN_USE: [405, 'UNSUPPORTED'],
  BLOB_TOO_LARGE: [413, 'SIZE_INVALID'],
  UPLOAD_UNKNOWN: [404, 'BLOB_UPLOAD_UNKNOWN'],
  UPLOAD_BUSY: [409, 'BLOB_UPLOAD_INVALID'],
  UPLOAD_RANGE: [416, 'BLOB_UPLOAD_INVALID'],
  UPLOAD_LOST: [409, 'BLOB_UPLOAD_INVALID'],
  DIGEST_INVALID: [400, 'DIGEST_INVALID'],
  SIZE_INVALID: [400, 'SIZE_INVALID'],
  MANIFEST_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  MANIFEST_INVALID: [400, 'MANIFEST_INVALID'],
  MANIFEST_BLOB_UNKNOWN: [404, 'MANIFEST_BLOB_UNKNOWN'],
  MANIFEST_IN_USE: [405, 'UNSUPPORTED'],
  TAG_INVALID: [400, 'MANIFEST_INVALID'],
  TAG_KIND: [409, 'DENIED'],
  TAG_MOVED: [409, 'DENIED'],
  CHART_EXISTS: [409, 'DENIED'],
  TAG_IMMUTABLE: [409, 'DENIED'],
  MANIFEST_HELD: [409, 'DENIED'],
  QUOTA_EXCEEDED: [403, 'DENIED'],
  REPOSITORY_MOVED: [403, 'DENIED'],
  DENIED: [403, 'DENIED'],
  UNSUPPORTED: [409, 'UNSUPPORTED'],
};

const RETRY = { 'Retry-After': '5' };

/** What a client is told about `error`; anything unforeseen is a 500 without particulars. */
export function toOciError(error: unknown): OciError {
  if (error instanceof OciError) return error;
  if (error instanceof Refusal) {
    const [status, code] = REFUSALS[error.code];
    return new OciError(status, code, error.message, error.detail);
  }
  if (error instanceof TooManyAttempts) {
    return new OciError(429, 'TOOMANYREQUESTS', error.message, undefined, {
      'Retry-After': String(error.retryAfterSeconds),
    });
  }
  if (error instanceof InvalidCredentials) return new OciError(401, 'UNAUTHORIZED', error.message);
  if (error instanceof BodyTooLarge) return new OciError(413, 'SIZE_INVALID', error.message);
  if (error instanceof RangeNotSatisfiable) return new OciError(416, 'SIZE_INVALID', error.message);
  if (error instanceof BodyAborted) return new OciError(400, 'BLOB_UPLOAD_INVALID', error.message);
  if (error instanceof StoreFull) {
    return new OciError(507, 'UNAVAILABLE', 'The storage is full; tell the operator, then try again', undefined, RETRY);
  }
  if (error instanceof ProviderUnavailable) {
    const message = 'Whoever knows the account cannot be reached right now; try again';
    return new OciError(503, 'UNAVAILABLE', message, undefined, RETRY);
  }
  if (error instanceof DatabaseUnavailable || error instanceof StoreUnavailable || error instanceof ObjectMissing) {
    return new OciError(503, 'UNAVAILABLE', 'The hub cannot reach its storage right now; try again', undefined, RETRY);
  }
  return new OciError(
    500,
    'UNKNOWN',
    'Something went wrong in the hub; its log has the particulars under this request id',
  );
}

export function writeOciError(ctx: Context, error: OciError): void {
  ctx.status = error.status;
  // What a handler had said about the content it was about to send does not hold for the error.
  for (const name of ['Cache-Control', 'ETag', 'Accept-Ranges', 'Docker-Content-Digest']) ctx.remove(name);
  if (error.status !== 416) ctx.remove('Content-Range');
  for (const [name, value] of Object.entries(error.headers)) ctx.set(name, value);
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify({
    errors: [
      {
        code: error.code,
        message: error.message,
        ...(error.detail !== undefined && { detail: error.detail }),
        request_id: ctx.state['requestId'] as string,
      },
    ],
  });
}
