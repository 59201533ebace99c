/** Errors of the layers below, as problems. */
import type { Context } from 'koa';
import { CrossSite } from '../auth/browser.ts';
import {
  AccountError,
  InvalidCredentials,
  ProviderUnavailable,
  TooManyAttempts,
  type AccountProblem,
} from '../auth/errors.ts';
import { DatabaseUnavailable } from '../db/errors.ts';
import { BodyAborted, BodyTooLarge } from '../http/body.ts';
import { TooManyComparisons } from '../registry/charts/text.ts';
import { ProjectError } from '../registry/projects.ts';
import { Refusal, type RefusalCode } from '../registry/refusal.ts';
import { RetentionError, type RetentionProblem } from '../registry/retention/errors.ts';
import { WebhookError, type WebhookProblem } from '../registry/webhooks/errors.ts';
import { CATALOGUE, Problem, problemBody, type ProblemName } from './problems.ts';

const ACCOUNT: Record<AccountProblem, ProblemName> = {
  'name-invalid': 'validation-failed',
  'name-taken': 'name-taken',
  'password-too-short': 'validation-failed',
  'password-too-long': 'validation-failed',
  'last-admin': 'last-admin',
  'not-found': 'not-found',
  'subject-unknown': 'validation-failed',
  'expiry-out-of-range': 'validation-failed',
  'glob-invalid': 'validation-failed',
  'kind-differs': 'validation-failed',
  'in-use': 'in-use',
  'issuer-unusable': 'validation-failed',
  'rule-invalid': 'validation-failed',
};

const RETENTION: Record<RetentionProblem, ProblemName> = {
  'policy-invalid': 'validation-failed',
  'policy-missing': 'not-found',
  'under-way': 'run-under-way',
  'run-unknown': 'not-found',
  'run-not-done': 'run-not-done',
};

const WEBHOOK: Record<WebhookProblem, ProblemName> = {
  'url-refused': 'validation-failed',
  'filter-invalid': 'validation-failed',
  'trust-needed': 'forbidden',
  'owner-unfit': 'forbidden',
  'not-found': 'not-found',
  'too-many': 'limit-reached',
  disabled: 'webhook-disabled',
};

/** What the registry refuses of every artifact, where it can come up here; anything else is a fault of the hub. */
const REFUSALS: Partial<Record<RefusalCode, ProblemName>> = {
  MANIFEST_UNKNOWN: 'not-found',
  DENIED: 'forbidden',
  REPOSITORY_MOVED: 'renamed',
  TAG_IMMUTABLE: 'tag-immutable',
  MANIFEST_HELD: 'manifest-held',
  MANIFEST_IN_USE: 'in-use',
  MANIFEST_BLOB_UNKNOWN: 'conflict',
  TAG_KIND: 'conflict',
  TAG_MOVED: 'conflict',
  UNSUPPORTED: 'conflict',
  QUOTA_EXCEEDED: 'quota-exceeded',
};

/** Asking for Basic is what lets curl and browsers know what to send. */
export function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail, {
    headers: { 'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"' },
  });
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof AccountError) return new Problem(ACCOUNT[error.problem], error.message);
  if (error instanceof RetentionError) return new Problem(RETENTION[error.problem], error.message);
  if (error instanceof ProjectError) return new Problem(error.problem, error.message);
  if (error instanceof WebhookError) return new Problem(WEBHOOK[error.problem], error.message);
  if (error instanceof Refusal && REFUSALS[error.code] !== undefined) {
    return new Problem(REFUSALS[error.code] as ProblemName, `${error.message}.`);
  }
  if (error instanceof InvalidCredentials) return unauthenticated(error.message);
  if (error instanceof CrossSite) return new Problem('cross-site', error.message);
  if (error instanceof TooManyAttempts) {
    return new Problem('too-many-requests', error.message, {
      headers: { 'Retry-After': String(error.retryAfterSeconds) },
    });
  }
  if (error instanceof TooManyComparisons) {
    return new Problem('too-many-requests', `${error.message}.`, { headers: { 'Retry-After': '5' } });
  }
  if (error instanceof BodyTooLarge) return new Problem('body-too-large', `${error.message}.`);
  if (error instanceof BodyAborted) return new Problem('malformed-json', `${error.message}.`);
  if (error instanceof ProviderUnavailable) {
    return new Problem('sign-in-unavailable', 'Nobody can be signed in by it right now; try again in a moment.', {
      headers: { 'Retry-After': '5' },
    });
  }
  if (error instanceof DatabaseUnavailable) {
    return new Problem('unavailable', 'Nothing was changed; try again in a moment.', {
      headers: { 'Retry-After': '5' },
    });
  }
  return new Problem('internal', "The hub's log has the particulars under this request id.");
}

/** @param report told of what is the hub's own fault */
export function writeProblem(ctx: Context, error: unknown, report: (error: unknown, requestId: string) => void): void {
  const requestId = ctx.state['requestId'] as string;
  const problem = toProblem(error);
  const [status] = CATALOGUE[problem.problem];
  if (status >= 500) report(error, requestId);
  ctx.status = status;
  ctx.set({ 'Cache-Control': 'no-store', ...problem.headers });
  // A script of a page handles 401 itself; asked for Basic, browsers would open a window of their own.
  if (ctx.get('Sec-Fetch-Mode') !== '') ctx.remove('WWW-Authenticate');
  ctx.type = 'application/problem+json';
  ctx.body = JSON.stringify(problemBody(problem, requestId));
}
