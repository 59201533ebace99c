/**
 * The one check in front of every route under /files. What a route needs is on its line in `routes.ts`; here it becomes a
 * principal, the facts of the repository and the gate's verdict, before the handler sees anything of the body.
 */
import type { Context, Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { InvalidCredentials } from '../auth/errors.ts';
import type { Action, Principal, Verdict } from '../auth/principal.ts';
import { addressOf } from '../http/client-address.ts';
import { identify } from '../auth/identify.ts';
import { boundTo, openShare, type OpenShare } from '../registry/files/share.ts';
import type { Registry } from '../registry/registry.ts';
import type { Refusal } from '../registry/refusal.ts';
import { movedRefusal, repositoryOf, type Repository } from '../registry/repositories.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { parseAddress, type Address } from './address.ts';
import { FileError, notFound, unauthenticated } from './errors.ts';

/** The gate's consent to an action on the repository that the URL names. */
export interface FilesPolicy {
  readonly action: Action;
  /** Of a HEAD with `?partial`, which tells how far an upload came. */
  readonly partial?: Action;
}

export const can = (action: Action): FilesPolicy => ({ action });
export const read: FilesPolicy = { action: 'pull', partial: 'push' };

export interface FilesDoor {
  readonly registry: Registry;
  readonly authenticator: Authenticator;
  readonly pace: { readonly idleSeconds: number; readonly minRate: number };
  readonly verifyReads: boolean;
}

/** What the guard found out, for handlers. */
export interface FilesState {
  readonly principal: Principal;
  readonly scene: Scene;
  readonly address: Address;
  /** Undefined until something was pushed. */
  readonly repository: Repository | undefined;
  readonly requestId: string;
}

export function stateOf(ctx: Context): FilesState {
  return ctx.state;
}

export function enforce(door: FilesDoor): (policy: FilesPolicy) => Middleware {
  return (policy) => async (ctx, next) => {
    const action = policy.partial !== undefined && asksForPartial(ctx) ? policy.partial : policy.action;
    const address = parseAddress(rawPath(ctx));
    await check(door, ctx, address, action);
    return next();
  };
}

async function check(door: FilesDoor, ctx: Context, address: Address, action: Action): Promise<void> {
  const look = (principalId: number) =>
    door.registry.scenes.resolve({ path: address.repository, principalId, ...tagOf(address) });
  const share = await sharedBy(door, ctx, address, action);
  const { principal, facts: scene } = share ? await whoShares(share, look) : await whoAsks(door, ctx, look);
  const target = targetOf(scene);
  const verdict = await door.registry.gate.decide(principal, action, target);
  const path = address.repository;
  const repository = repositoryOf(scene, path);
  Object.assign(ctx.state, { principal, scene, target, path, action, verdict, address, repository });
  if (verdict.effect === 'deny') throw share ? deadLink() : denial(scene, principal, action, verdict);
  for (const warning of verdict.warnings) ctx.append('Warning', `299 - "${warning.replaceAll(/["\\\r\n]/g, "'")}"`);
}

/** The link that the request came by: `?share=` opens one file for one thing, and nothing else. */
async function sharedBy(
  door: FilesDoor,
  ctx: Context,
  address: Address,
  action: Action,
): Promise<OpenShare | undefined> {
  const secret = ctx.query['share'];
  if (secret === undefined) return undefined;
  const bound = address.kind === 'file' && address.version.kind !== 'range' ? address : undefined;
  if (!bound || typeof secret !== 'string') throw deadLink();
  const { path, version } = bound;
  const name = version.kind === 'tag' ? version.tag : version.kind === 'digest' ? version.digest : '';
  const share = await openShare(door.registry.db, secret, { version: name, path, action });
  if (!share) throw deadLink();
  return share;
}

/** Who made the link, for the repository that it is for and nothing else, by whichever of its names. */
async function whoShares(share: OpenShare, look: (principalId: number) => Promise<Scene>) {
  const facts = await look(share.principal.id);
  const principal = boundTo(share, facts);
  if (!principal) throw deadLink();
  return { principal, facts };
}

function deadLink(): FileError {
  return new FileError(404, 'not-found', 'This link has expired, was taken back, or is for something else');
}

async function whoAsks(door: FilesDoor, ctx: Context, look: (principalId: number) => Promise<Scene>) {
  const { authorization } = ctx.req.headers;
  const caller = { authorization: authorization || undefined, address: addressOf(ctx) };
  try {
    return await identify(door.authenticator, caller, look);
  } catch (error) {
    if (error instanceof InvalidCredentials) throw unauthenticated(error.message);
    throw error;
  }
}

/** The guard's decision once more, for a handler that waited for a body: rights that were taken away meanwhile are gone. */
export async function decideAgain(door: FilesDoor, ctx: Context, action: Action): Promise<void> {
  const { principal, address } = stateOf(ctx);
  const scene = await door.registry.scenes.resolve({
    path: address.repository,
    principalId: principal.id,
    ...tagOf(address),
  });
  const verdict = await door.registry.gate.decide(principal, action, targetOf(scene));
  Object.assign(ctx.state, { scene, verdict, repository: repositoryOf(scene, address.repository) });
  if (verdict.effect === 'deny') throw denial(scene, principal, action, verdict);
}

/** Who may not see the repository gets the answer of one that does not exist; who may is told what is missing. */
function denial(scene: Scene, principal: Principal, action: Action, verdict: Verdict): FileError | Refusal {
  if (principal.kind === 'anonymous') return unauthenticated('Sign in: curl --user name, with a password or a token');
  if (verdict.stale) return unauthenticated('The credentials are not valid any more; sign in again');
  if (verdict.insufficientScope)
    return unauthenticated('The token was not asked for with this right; ask for a wider one');
  if (verdict.moved) return movedRefusal(scene);
  if (action === 'pull') return notFound();
  return new FileError(403, 'forbidden', `You may not ${action} here; ask an owner of the project for the right`);
}

/** The repository, or the same 404 that a forbidden one gives. */
export function requireRepository(ctx: Context): Repository {
  const { repository } = stateOf(ctx);
  if (!repository) throw notFound();
  return repository;
}

function tagOf(address: Address): { tag?: string } {
  return address.kind !== 'repository' && address.version.kind === 'tag' ? { tag: address.version.tag } : {};
}

export function asksForPartial(ctx: Context): boolean {
  return ctx.method === 'HEAD' && ctx.query['partial'] !== undefined;
}

/**
 * As the client sent it. The router and a proxy in front must read the same there: of a whole URL, `http://acme/files/…`, or one
 * with a fragment, one would see another repository than the other.
 */
function rawPath(ctx: Context): string {
  const url = ctx.req.url ?? '';
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  if (path === ctx.path) return path;
  throw new FileError(400, 'path-invalid', 'Send the path alone, without host and fragment');
}
