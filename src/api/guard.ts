/** What a route of the API asks of its caller, checked before the body is read. */
import type { Context, Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { callerOf, requireSameOrigin, takeSession } from '../auth/browser.ts';
import { InvalidCredentials } from '../auth/errors.ts';
import { identify, type Caller } from '../auth/identify.ts';
import { isProjectName, movedSentence } from '../auth/names.ts';
import { ANONYMOUS, type Action, type Facts, type Gate, type Principal, type Target } from '../auth/principal.ts';
import { notFound, Problem } from './problems.ts';
import { addressOf } from '../http/client-address.ts';
import type { Rate } from './rate.ts';
import { unauthenticated } from './translate.ts';

export type ApiPolicy =
  /** Also without credentials; the handler shows what the caller may see. */
  | { readonly kind: 'anyone' }
  /** How one gets credentials: none are looked at, but the request must not come from another site's page. */
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'signed-in' }
  /** Signed in by a person, with a password or in a browser: a token, which may have leaked, must not change the account that it belongs to. */
  | { readonly kind: 'password' }
  /** An administrator of the hub; a token of one only without path limits and with the action `admin`. */
  | { readonly kind: 'hub-admin' }
  /** The project `:project` must show to the caller, and the gate must consent to the action on it. */
  | { readonly kind: 'project'; readonly action: Action | 'see' };

export const anyone: ApiPolicy = { kind: 'anyone' };
export const signingIn: ApiPolicy = { kind: 'sign-in' };
export const signedIn: ApiPolicy = { kind: 'signed-in' };
export const withPassword: ApiPolicy = { kind: 'password' };
export const hubAdmin: ApiPolicy = { kind: 'hub-admin' };
export const onProject = (action: Action | 'see'): ApiPolicy => ({ kind: 'project', action });

export interface Guards {
  readonly authenticator: Authenticator;
  readonly gate: Gate;
  readonly facts: Facts;
  readonly rate: Rate;
  readonly publicUrls: readonly string[];
}

export function enforce(guards: Guards): (policy: ApiPolicy) => Middleware {
  return (policy) => async (ctx, next) => {
    if (policy.kind === 'sign-in') {
      requireSameOrigin(ctx, guards.publicUrls);
      const target = { path: '', project: undefined, principalEpoch: 0 };
      Object.assign(ctx.state, { principal: ANONYMOUS, target, signIn: {} });
      return next();
    }
    const { project = '' } = ctx['params'] as { project?: string };
    // What is no name is looked up as nothing: a decoded slash must not make it another project's.
    const path = policy.kind === 'project' && isProjectName(project) ? project : '';
    const caller = callerOf(ctx, guards.publicUrls);
    const { principal, facts } = await identify(guards.authenticator, caller, (id) => guards.facts(path, id)).catch(
      (error: unknown) => {
        throw isSession(caller) && error instanceof InvalidCredentials ? sessionOver(ctx, guards.publicUrls) : error;
      },
    );
    Object.assign(ctx.state, { principal, target: facts });
    guards.rate.count(ctx, principal, addressOf(ctx));
    // A registry token says what docker asked for, which is not what this API is about.
    if (principal.credential === 'registry_token') {
      throw unauthenticated('Registry tokens are for /v2; send Basic credentials or a personal token.');
    }
    await check(guards, policy, principal, facts, ctx);
    // Some routes decide in their handler, when they know what it is about; nobody's body is read before.
    if (policy.kind === 'project' && principal.kind === 'anonymous' && !READING.has(ctx.method)) {
      throw unauthenticated('Send Basic credentials or a personal token.');
    }
    // Whoever came here by a former name only looks; what is looked at is what is called so now.
    const { path: now, project: found, principalEpoch } = facts;
    Object.assign(ctx.state, { target: { path: now, project: found, principalEpoch } });
    return next();
  };
}

const READING = new Set(['GET', 'HEAD']);
const PERSONAL = ['password', 'session'] as const satisfies readonly Principal['credential'][];

function isSession({ authorization }: Caller): boolean {
  return typeof authorization === 'object' && authorization.scheme === 'session';
}

/** The browser is told to forget it, and is not asked for a password of its own. */
function sessionOver(ctx: Context, publicUrls: readonly string[]): Problem {
  takeSession(ctx, publicUrls);
  return new Problem('unauthenticated', 'The session is over; sign in again.');
}

async function check(
  { gate }: Guards,
  policy: ApiPolicy,
  principal: Principal,
  target: Target,
  ctx: Context,
): Promise<void> {
  if (policy.kind === 'anyone') return;
  if (policy.kind === 'project') {
    const [found, writes] = [ctx.state, !READING.has(ctx.method)];
    await checkProject({ gate, principal, target, found, writes }, policy.action);
    return;
  }
  if (principal.kind === 'anonymous') throw unauthenticated('Send Basic credentials or a personal token.');
  if (policy.kind === 'password' && !(PERSONAL as readonly string[]).includes(principal.credential)) {
    throw new Problem('password-required', 'A token cannot change the account it belongs to; use the password.');
  }
  if (policy.kind === 'hub-admin' && !isHubAdmin(principal)) {
    throw new Problem('forbidden', 'This is for administrators of the hub.');
  }
}

interface ProjectCheck {
  readonly gate: Gate;
  readonly principal: Principal;
  readonly target: Target;
  /** What the audit trail wants to know. */
  readonly found: object;
  /** Whether the request changes something. */
  readonly writes: boolean;
}

/** Who may not see the project gets the answer of one that does not exist; who may is told what is missing. */
async function checkProject(asked: ProjectCheck, action: Action | 'see'): Promise<void> {
  const { gate, principal, target, found, writes } = asked;
  const visible = await gate.sees(principal, target);
  Object.assign(found, { action, verdict: visible });
  if (visible.effect === 'deny') {
    if (principal.kind === 'anonymous') throw unauthenticated('Send Basic credentials or a personal token.');
    throw notFound();
  }
  const known = principal.kind !== 'anonymous';
  if (known && target.askedPath !== undefined && (writes || action === 'admin')) throw renamed(target, found);
  if (action === 'see') return;
  const verdict = await gate.decide(principal, action, target);
  Object.assign(found, { verdict });
  if (verdict.effect !== 'deny') return;
  if (principal.kind === 'anonymous') throw unauthenticated('Send Basic credentials or a personal token.');
  throw new Problem('forbidden', `This needs the right to ${action} here; ask an owner of the project.`);
}

/** A project is read by a former name, and managed by the one that it has. */
function renamed(target: Target, found: object): Problem {
  Object.assign(found, { verdict: { effect: 'deny', reason: 'a former name', warnings: [] } });
  return new Problem('renamed', `${movedSentence(target)}.`);
}

/** Also of routes that are for others as well, where they let an administrator do more. */
export function isHubAdmin({ admin, limits }: Principal): boolean {
  return admin && (limits === undefined || (limits.actions.includes('admin') && limits.paths === undefined));
}
