/** What a route of the classic door asks of its caller, checked before the body is read. */
import type { Context, Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { isStale } from '../auth/gate.ts';
import { identify } from '../auth/identify.ts';
import { isRepositoryPath, withinProject } from '../auth/names.ts';
import type { Action, Principal, Target } from '../auth/principal.ts';
import type { BodyPace } from '../http/body.ts';
import { addressOf } from '../http/client-address.ts';
import type { ChartIndexes } from '../registry/charts/index-memory.ts';
import { parseNamespace, projectOfNamespace, type Namespace } from '../registry/charts/names.ts';
import type { Registry } from '../registry/registry.ts';
import { movedRefusal } from '../registry/repositories.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { HelmError, notFound, unauthenticated } from './errors.ts';

export type HelmPolicy =
  /** Something of the namespace's project has to show to the caller; the handler leaves out what may not be pulled. */
  | { readonly kind: 'see' }
  /** There is something in the project, which may be made by it, that the caller may push to: which chart is meant is known only once it was read. */
  | { readonly kind: 'upload' }
  /** The handler asks the gate about the chart that the path names: `decideOn`. */
  | { readonly kind: 'chart'; readonly action: Action };

export const see: HelmPolicy = { kind: 'see' };
export const upload: HelmPolicy = { kind: 'upload' };
export const can = (action: Action): HelmPolicy => ({ kind: 'chart', action });

export interface HelmDoor {
  readonly registry: Registry;
  readonly authenticator: Authenticator;
  readonly indexes: ChartIndexes;
  readonly pace: BodyPace;
  readonly verifyReads: boolean;
  /** Told of errors that are the hub's own. */
  readonly report: (error: unknown, requestId: string) => void;
}

export interface HelmState {
  readonly principal: Principal;
  /** As the request calls it. */
  readonly namespace: Namespace;
  /** The same, with the name that the project has now. */
  readonly namedNow: Namespace;
  /** Of the namespace: project and principal. */
  readonly scene: Scene;
  readonly policy: HelmPolicy;
  readonly requestId: string;
}

export function stateOf(ctx: Context): HelmState {
  return ctx.state;
}

export function enforce(door: HelmDoor): (policy: HelmPolicy) => Middleware {
  return (policy) => async (ctx, next) => {
    const namespace = namespaceOf(ctx);
    const caller = { authorization: ctx.req.headers.authorization, address: addressOf(ctx) };
    const { principal, facts } = await identify(door.authenticator, caller, (id) =>
      door.registry.scenes.resolve({ path: projectOfNamespace(namespace), principalId: id }),
    );
    // What was a registry token of someone who lost a right since is no credential any more.
    if (isStale(principal, facts)) throw unauthenticated();
    const namedNow = inProject(facts, namespace);
    const target = targetOf({ ...facts, path: namedNow });
    const action = policy.kind === 'see' ? 'pull' : policy.kind === 'upload' ? 'push' : policy.action;
    Object.assign(ctx.state, { principal, namespace, namedNow, scene: facts, policy, path: namespace, target, action });
    await check(door, ctx, target);
    return next();
  };
}

async function check({ registry: { gate } }: HelmDoor, ctx: Context, target: Target): Promise<void> {
  const { policy, principal, scene } = stateOf(ctx);
  if (policy.kind === 'chart') return;
  const isUpload = policy.kind === 'upload';
  if (isUpload && principal.kind === 'anonymous') throw unauthenticated();
  let verdict = await gate.sees(principal, target);
  if (verdict.effect === 'deny' && isUpload && !target.project) verdict = await gate.decide(principal, 'push', target);
  Object.assign(ctx.state, { verdict });
  if (verdict.effect === 'deny') throw principal.kind === 'anonymous' ? unauthenticated() : notFound();
  if (!isUpload) return;
  verdict = await gate.mayAnywhere(principal, 'push', target);
  Object.assign(ctx.state, { verdict });
  // Who is here sees something of the project, so its name is no secret.
  if (verdict.effect === 'deny') throw target.askedPath === undefined ? mayNot('push') : movedRefusal(scene);
}

function mayNot(action: Action): HelmError {
  return new HelmError(403, `You may not ${action} here; ask an owner of the project for the right`);
}

/**
 * The facts of a chart's repository, if the gate consents. Who may not see it gets the answer of one that does not exist.
 * @param path of the repository, also of one that does not exist
 */
export async function decideOn(door: HelmDoor, ctx: Context, path: string, tag?: string): Promise<Scene> {
  const { principal, policy } = stateOf(ctx);
  const { action } = policy as { action: Action };
  const { gate, scenes } = door.registry;
  // What is no name is nowhere, and no text for Postgres either.
  if (!isRepositoryPath(path)) throw principal.kind === 'anonymous' ? unauthenticated() : notFound();
  const scene = await scenes.resolve({ path, principalId: principal.id, ...(tag && { tag }) });
  const target = targetOf(scene);
  const verdict = await gate.decide(principal, action, target);
  Object.assign(ctx.state, { path, target, action, verdict });
  if (verdict.effect !== 'deny') {
    for (const warning of verdict.warnings) ctx.append('Warning', `299 - "${warning.replaceAll(/["\\\r\n]/g, "'")}"`);
    return scene;
  }
  if (principal.kind === 'anonymous') throw unauthenticated();
  if (verdict.moved) throw movedRefusal(scene);
  const sees = action !== 'pull' && (await gate.decide(principal, 'pull', target)).effect !== 'deny';
  throw sees ? mayNot(action) : notFound();
}

function inProject({ project }: Scene, namespace: Namespace): Namespace {
  const within = withinProject(namespace);
  return project === undefined
    ? namespace
    : ((within === '' ? project.name : `${project.name}/${within}`) as Namespace);
}

function namespaceOf(ctx: Context): Namespace {
  const { namespace } = ctx['params'] as { namespace: string | string[] };
  const parsed = parseNamespace(Array.isArray(namespace) ? namespace.join('/') : namespace);
  if (parsed) return parsed;
  throw new HelmError(
    404,
    'Charts live under /charts/<project>/…, a path of lower-case words; none of them can be called api',
  );
}
