/** Every error of the classic door, once: the JSON that ChartMuseum writes, which its clients print. */
import type { Context } from 'koa';
import { InvalidCredentials, TooManyAttempts } from '../auth/errors.ts';
import { ObjectMissing, StoreFull, StoreUnavailable } from '../blobs/store.ts';
import { DatabaseUnavailable } from '../db/errors.ts';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { RangeNotSatisfiable } from '../http/send.ts';
import { TooManyCharts } from '../registry/charts/read.ts';
import { ChartRefused } from '../registry/charts/refused.ts';
import { TooManyComparisons } from '../registry/charts/text.ts';
import { Refusal, type RefusalCode } from '../registry/refusal.ts';

/** An answer that is an error. */
export class HelmError extends Error {
  override readonly name = 'HelmError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const STATUS: Partial<Record<RefusalCode, number>> = {
  NAME_INVALID: 400,
  TAG_INVALID: 400,
  TAG_KIND: 409,
  TAG_MOVED: 409,
  CHART_EXISTS: 409,
  TAG_IMMUTABLE: 409,
  MANIFEST_HELD: 409,
  QUOTA_EXCEEDED: 403,
  REPOSITORY_MOVED: 403,
  DENIED: 403,
  MANIFEST_UNKNOWN: 404,
  BLOB_TOO_LARGE: 413,
};

const RETRY = { 'Retry-After': '5' };

/** Asking for Basic is what lets helm, curl and browsers know what to send. */
export function unauthenticated(): HelmError {
  return new HelmError(401, 'Sign in: a user name and password, or a token as the password', {
    'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"',
  });
}

/** The one answer for what is missing and what is hidden. */
export function notFound(): HelmError {
  return new HelmError(404, 'There is no such chart here');
}

export function toHelmError(error: unknown): HelmError {
  if (error instanceof HelmError) return error;
  if (error instanceof ChartRefused) return new HelmError(400, error.message);
  if (error instanceof Refusal && STATUS[error.code] !== undefined) {
    return new HelmError(STATUS[error.code] as number, error.message);
  }
  if (error instanceof Refusal && error.code === 'UNSUPPORTED') return new HelmError(409, error.message);
  if (error instanceof InvalidCredentials) return unauthenticated();
  if (error instanceof TooManyAttempts) {
    return new HelmError(429, error.message, { 'Retry-After': String(error.retryAfterSeconds) });
  }
  if (error instanceof BodyTooLarge) return new HelmError(413, error.message);
  if (error instanceof BodyAborted) return new HelmError(400, error.message);
  if (error instanceof TooManyCharts || error instanceof TooManyComparisons) {
    return new HelmError(503, error.message, RETRY);
  }
  if (error instanceof RangeNotSatisfiable) return new HelmError(416, error.message);
  if (error instanceof StoreFull) {
    return new HelmError(507, 'The storage is full; tell the operator, then try again', RETRY);
  }
  if (error instanceof DatabaseUnavailable || error instanceof StoreUnavailable || error instanceof ObjectMissing) {
    return new HelmError(503, 'The hub cannot reach its storage right now; try again', RETRY);
  }
  return new HelmError(500, 'Something went wrong in the hub; its log has the particulars under this request id');
}

export function writeHelmError(ctx: Context, error: HelmError): void {
  ctx.status = error.status;
  // What a handler had said about the content it was about to send does not hold for the error.
  for (const name of ['ETag', 'Accept-Ranges', 'Content-Encoding', 'Vary']) ctx.remove(name);
  if (error.status !== 416) ctx.remove('Content-Range');
  ctx.set({ 'Cache-Control': 'no-store', ...error.headers });
  ctx.set('Content-Type', 'application/json; charset=utf-8');
  ctx.body = JSON.stringify({ error: error.message });
}
