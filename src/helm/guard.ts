/** What a route of the classic door asks of its caller, checked before the body is read. */
import type { Context, Middleware } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { identify } from '../auth/identify.ts';
import type { Action, Principal } from '../auth/principal.ts';
import type { BodyPace } from '../http/body.ts';
import type { ChartIndexes } from '../registry/charts/index-memory.ts';
import { parseNamespace, projectOfNamespace, type Namespace } from '../registry/charts/names.ts';
import type { Registry } from '../registry/registry.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { HelmError, notFound, unauthenticated } from './errors.ts';

export type HelmPolicy =
  /** Something of the namespace's project has to show to the caller; the handler leaves out what may not be pulled. */
  | { readonly kind: 'see' }
  /** Signed in, and the project shows or could be made: which chart is meant is known only once it was read. */
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
  readonly namespace: Namespace;
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
    const caller = { authorization: ctx.req.headers.authorization, address: ctx.req.socket.remoteAddress };
    const { principal, facts } = await identify(door.authenticator, caller, (id) =>
      door.registry.scenes.resolve({ path: projectOfNamespace(namespace), principalId: id }),
    );
    Object.assign(ctx.state, { principal, namespace, scene: facts, policy });
    await check(door, policy, principal, { ...facts, path: namespace });
    return next();
  };
}

async function check({ registry: { gate } }: HelmDoor, policy: HelmPolicy, principal: Principal, scene: Scene) {
  if (policy.kind === 'chart') return;
  const isUpload = policy.kind === 'upload';
  if (isUpload && principal.kind === 'anonymous') throw unauthenticated();
  const shows = (await gate.sees(principal, targetOf(scene))).effect !== 'deny';
  if (shows) return;
  const makes = isUpload && !scene.project && (await gate.decide(principal, 'push', targetOf(scene))).effect !== 'deny';
  if (!makes) throw principal.kind === 'anonymous' ? unauthenticated() : notFound();
}

/**
 * The facts of a chart's repository, if the gate consents. Who may not see it gets the answer of one that does not exist.
 * @param path of the repository, also of one that does not exist
 */
export async function decideOn(door: HelmDoor, ctx: Context, path: string, tag?: string): Promise<Scene> {
  const { principal, policy } = stateOf(ctx);
  const { action } = policy as { action: Action };
  const scene = await door.registry.scenes.resolve({ path, principalId: principal.id, ...(tag && { tag }) });
  if ((await door.registry.gate.decide(principal, action, targetOf(scene))).effect !== 'deny') return scene;
  if (principal.kind === 'anonymous') throw unauthenticated();
  const sees =
    action !== 'pull' && (await door.registry.gate.decide(principal, 'pull', targetOf(scene))).effect !== 'deny';
  throw sees ? new HelmError(403, `You may not ${action} here; ask an owner of the project for the right`) : notFound();
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
