/** Errors of /auth, once: JSON as registries write it, since the clients of the token endpoint are clients of registries. */
import type { Context } from 'koa';
import { DatabaseUnavailable } from '../db/errors.ts';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { sendJson } from '../http/json.ts';
import { CrossSite } from './browser.ts';
import { InvalidCredentials, ProviderUnavailable, SignInRefused, TooManyAttempts } from './errors.ts';
import { TokenTooLarge } from './registry-tokens.ts';
import { TooManyScopes } from './token-endpoint.ts';

export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

export class NoSuchRoute extends Error {
  override readonly name = 'NoSuchRoute';
  constructor() {
    super('There is nothing at this path; tokens are at /auth/token, keys at /auth/jwks.');
  }
}

interface Answer {
  readonly status: number;
  readonly code:
    | 'UNAUTHORIZED'
    | 'DENIED'
    | 'UNSUPPORTED'
    | 'SIZE_INVALID'
    | 'TOOMANYREQUESTS'
    | 'UNAVAILABLE'
    | 'UNKNOWN';
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param report told of what is the hub's own fault */
export function writeAuthError(
  ctx: Context,
  error: unknown,
  report: (error: unknown, requestId: string) => void,
): void {
  const requestId = ctx.state['requestId'] as string;
  const { status, code, message, headers = {} } = answerTo(error);
  if (status >= 500) report(error, requestId);
  ctx.status = status;
  ctx.set({ 'Cache-Control': 'no-store', ...headers });
  // A script of a page handles 401 itself; asked for Basic, browsers would open a window of their own.
  if (ctx.get('Sec-Fetch-Mode') !== '') ctx.remove('WWW-Authenticate');
  sendJson(ctx, { errors: [{ code, message, request_id: requestId }] });
}

function answerTo(error: unknown): Answer {
  if (error instanceof InvalidCredentials) {
    const headers = { 'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"' };
    return { status: 401, code: 'UNAUTHORIZED', message: error.message, headers };
  }
  if (error instanceof TooManyAttempts) {
    const headers = { 'Retry-After': String(error.retryAfterSeconds) };
    return { status: 429, code: 'TOOMANYREQUESTS', message: error.message, headers };
  }
  if (error instanceof CrossSite) return { status: 403, code: 'DENIED', message: error.message };
  if (error instanceof BadRequest || error instanceof TooManyScopes || error instanceof BodyAborted) {
    return { status: 400, code: 'UNSUPPORTED', message: error.message };
  }
  if (error instanceof TokenTooLarge) {
    return { status: 400, code: 'UNSUPPORTED', message: 'Ask for fewer repositories at once.' };
  }
  if (error instanceof NoSuchRoute) return { status: 404, code: 'UNSUPPORTED', message: error.message };
  if (error instanceof BodyTooLarge) return { status: 413, code: 'SIZE_INVALID', message: error.message };
  if (error instanceof SignInRefused) return { status: 403, code: 'DENIED', message: error.message };
  if (error instanceof ProviderUnavailable) {
    const message = 'Whoever knows the account cannot be reached right now; try again.';
    return { status: 503, code: 'UNAVAILABLE', message, headers: { 'Retry-After': '5' } };
  }
  if (error instanceof DatabaseUnavailable) {
    const message = 'The hub cannot reach its database right now; try again.';
    return { status: 503, code: 'UNAVAILABLE', message, headers: { 'Retry-After': '5' } };
  }
  return { status: 500, code: 'UNKNOWN', message: 'Something went wrong in the hub; its log has the particulars.' };
}
