/**
 * The one check in front of every /v2 route. What a route needs is on its line in `routes.ts`; here it becomes a principal,
 * the facts of the repository, and the gate's verdict, before the handler sees anything of the body.
 */
import type { Context, Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { challenge, repositoryScope, type Challenge } from '../auth/challenge.ts';
import { InvalidCredentials } from '../auth/errors.ts';
import { chooseOrigin, realmOf, serviceOf } from '../auth/origins.ts';
import { isStale } from '../auth/gate.ts';
import { ANONYMOUS, CATALOG, type Action, type Principal, type Verdict } from '../auth/principal.ts';
import { addressOf } from '../http/client-address.ts';
import { parseReference, parseRepositoryPath, type Reference, type RepositoryPath } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { movedRefusal, repositoryOf, type Repository } from '../registry/repositories.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { OciError, toOciError } from './errors.ts';

export type OciPolicy =
  /** Any valid token, also an anonymous one; without credentials the challenge. */
  | { readonly kind: 'token'; readonly scope?: string }
  /** The gate's consent to an action on the repository `:name`. */
  | { readonly kind: 'repository'; readonly action: Action };

export const token: OciPolicy = { kind: 'token' };
export const catalog: OciPolicy = { kind: 'token', scope: `${CATALOG}:*` };
export const can = (action: Action): OciPolicy => ({ kind: 'repository', action });

export interface OciDoor {
  readonly registry: Registry;
  readonly authenticator: Authenticator;
  readonly publicUrls: readonly string[];
  readonly pace: { readonly idleSeconds: number; readonly minRate: number };
  readonly verifyReads: boolean;
}

/** What the guard found out, for handlers. */
export interface OciState {
  readonly principal: Principal;
  readonly scene: Scene;
  readonly path: RepositoryPath;
  /** Undefined until something was pushed. */
  readonly repository: Repository | undefined;
  readonly requestId: string;
}

export function enforce(door: OciDoor): (policy: OciPolicy) => Middleware {
  return (policy) => async (ctx, next) => {
    const check = policy.kind === 'token' ? checkToken : checkRepository;
    const header = ctx.req.headers.authorization;
    const denied = await check(door, ctx, await identify(door, ctx, policy), policy);
    if (denied) {
      // What memory remembers of a password may be older than a change of rights; ask once more before saying no.
      if (!denied.stale || header === undefined) throw denied.error;
      door.authenticator.forget(header);
      const again = await check(door, ctx, await identify(door, ctx, policy), policy);
      if (again) throw again.error;
    }
    return next();
  };
}

export function stateOf(ctx: Context): OciState {
  return ctx.state;
}

/** A registry token lists what it was asked for; one for a repository does not open the list of all. */
export function requireCatalogScope(door: OciDoor, ctx: Context): void {
  const { access } = stateOf(ctx).principal;
  if (access === undefined || access.has(CATALOG)) return;
  throw unauthorized(door, ctx, { scope: `${CATALOG}:*`, error: 'insufficient_scope' });
}

/** The repository, or the same 404 that a forbidden one gives. */
export function requireRepository(ctx: Context): Repository {
  const { repository } = stateOf(ctx);
  if (!repository) throw nameUnknown();
  return repository;
}

interface Denial {
  readonly error: OciError;
  readonly stale: boolean;
}

async function identify(door: OciDoor, ctx: Context, policy: OciPolicy): Promise<Principal> {
  const header = ctx.req.headers.authorization;
  if (header === undefined || header === '') {
    if (policy.kind === 'token') throw unauthorized(door, ctx, policy.scope ? { scope: policy.scope } : {});
    return ANONYMOUS;
  }
  try {
    return await door.authenticator.authenticate(header, addressOf(ctx));
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error;
    const scope = policy.kind === 'repository' ? scopeOf(ctx, policy.action) : undefined;
    throw unauthorized(door, ctx, { ...(scope && { scope }), error: 'invalid_token' });
  }
}

/** A token whose owner was disabled or whose rights were cut since is no token any more. */
async function checkToken(door: OciDoor, ctx: Context, principal: Principal): Promise<Denial | undefined> {
  const scene = await door.registry.scenes.resolve({ path: '', principalId: principal.id });
  Object.assign(ctx.state, { principal, scene });
  if (!isStale(principal, targetOf(scene))) return undefined;
  return { error: unauthorized(door, ctx, { error: 'invalid_token' }), stale: true };
}

async function checkRepository(
  door: OciDoor,
  ctx: Context,
  principal: Principal,
  policy: OciPolicy,
): Promise<Denial | undefined> {
  const { action } = policy as { action: Action };
  const path = parseRepositoryPath((ctx['params'] as { name: string }).name);
  if (!path) {
    throw new OciError(
      400,
      'NAME_INVALID',
      'A repository name is lower-case words separated by slashes, such as team/app; at most 255 characters',
    );
  }
  const tag = tagToRead(ctx);
  const scene = await door.registry.scenes.resolve({ path, principalId: principal.id, ...(tag && { tag }) });
  const target = targetOf(scene);
  const verdict = await door.registry.gate.decide(principal, action, target);
  Object.assign(ctx.state, { principal, scene, target, path, action, verdict, repository: repositoryOf(scene, path) });
  if (verdict.effect === 'deny') {
    return { error: denial(door, ctx, scene, principal, action, verdict), stale: verdict.stale ?? false };
  }
  for (const warning of verdict.warnings) ctx.append('Warning', `299 - "${warning.replaceAll(/["\\\r\n]/g, "'")}"`);
  return undefined;
}

/**
 * The guard's decision once more, for a handler that waited for a body: rights that were taken away meanwhile are gone,
 * and the facts are fresh. The credential itself is not looked at again; what was authorised is not cut by its expiry.
 */
export async function decideAgain(door: OciDoor, ctx: Context, action: Action): Promise<void> {
  const { principal, path, requestId } = stateOf(ctx);
  const scene = await door.registry.scenes.resolve({ path, principalId: principal.id });
  const verdict = await door.registry.gate.decide(principal, action, targetOf(scene));
  Object.assign(ctx.state, { scene, requestId, verdict, repository: repositoryOf(scene, path) });
  if (verdict.effect === 'deny') throw denial(door, ctx, scene, principal, action, verdict);
}

/** Joins the tag look-up to the query that every request makes anyway. */
function tagToRead(ctx: Context): string | undefined {
  const params = ctx['params'] as { reference?: string };
  if (params.reference === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return undefined;
  return parseReference(params.reference)?.tag;
}

/**
 * Who presented nothing, or a token that says less than its owner may, is asked for a (wider) token. Who may not see the
 * repository gets the answer of one that does not exist. Who may see it is told that it may not do that, or, by a former name,
 * what it is called now.
 */
function denial(
  door: OciDoor,
  ctx: Context,
  scene: Scene,
  principal: Principal,
  action: Action,
  verdict: Verdict,
): OciError {
  const scope = scopeOf(ctx, action);
  if (verdict.stale) return unauthorized(door, ctx, { scope, error: 'invalid_token' });
  if (verdict.insufficientScope) return unauthorized(door, ctx, { scope, error: 'insufficient_scope' });
  if (principal.credential === 'none') return unauthorized(door, ctx, { scope });
  if (verdict.moved) return toOciError(movedRefusal(scene));
  if (principal.kind === 'anonymous') return unauthorized(door, ctx, { scope, error: 'insufficient_scope' });
  if (action === 'pull') return nameUnknown();
  return new OciError(403, 'DENIED', `You may not ${action} here; ask an owner of the project for the right`);
}

function scopeOf(ctx: Context, action: Action): string {
  const { name } = ctx['params'] as { name: string };
  const actions: Record<Action, string[]> = {
    pull: ['pull'],
    push: ['pull', 'push'],
    delete: ['delete'],
    admin: ['*'],
  };
  const scope = repositoryScope(name, actions[action]);
  const from =
    ctx.method === 'POST' && typeof ctx.query['from'] === 'string' ? parseRepositoryPath(ctx.query['from']) : undefined;
  return from ? `${scope} ${repositoryScope(from, ['pull'])}` : scope;
}

function unauthorized(door: OciDoor, ctx: Context, more: Pick<Challenge, 'scope' | 'error'>): OciError {
  const origin = chooseOrigin(door.publicUrls, ctx.req.headers.host);
  const header = challenge({ realm: realmOf(origin), service: serviceOf(origin), ...more });
  const message =
    more.error === undefined
      ? 'Sign in first: docker login, or send a token'
      : 'The credentials are not valid for this; sign in again or ask for a wider token';
  return new OciError(401, 'UNAUTHORIZED', message, undefined, { 'WWW-Authenticate': header });
}

function nameUnknown(): OciError {
  return new OciError(404, 'NAME_UNKNOWN', 'There is no such repository, or you may not see it');
}

export function referenceOf(ctx: Context): Reference {
  const { reference } = ctx['params'] as { reference: string };
  const parsed = parseReference(reference);
  if (parsed) return parsed;
  if (reference.includes(':')) {
    throw new OciError(400, 'DIGEST_INVALID', 'A digest is sha256:<64 hex> or sha512:<128 hex>, in lower case');
  }
  const rule = 'A tag is 1 to 128 of letters, digits, _ . -, and starts with a letter, digit or _';
  // What cannot be a tag is not there; only who wants to write one needs to hear that it never will be.
  if (ctx.method === 'PUT') throw new OciError(400, 'MANIFEST_INVALID', rule);
  throw new OciError(404, 'MANIFEST_UNKNOWN', `This repository has no such tag. ${rule}`);
}
