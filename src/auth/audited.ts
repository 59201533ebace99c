/**
 * What the audit trail learns of a request, whatever its door: changes carry who, from where and by which right; a denial is noted
 * once the answer is known. Doors only leave in `ctx.state` what their guard found out (`AuditedState`).
 */
import type { Context, Middleware } from 'koa';
import { addressOf } from '../http/client-address.ts';
import { withOrigin, type Origin } from '../jobs/origin.ts';
import { parseAuthorization } from './authorization.ts';
import type { Denial, Denials } from './denials.ts';
import { isAccountName, projectOf } from './names.ts';
import type { Action, Principal, Target, Verdict } from './principal.ts';

/** Set by guards, as far as they came. */
export interface AuditedState {
  readonly principal?: Principal;
  /** Repository path. */
  readonly path?: string;
  readonly target?: Target;
  readonly action?: Action | 'see';
  readonly verdict?: Verdict;
  readonly route?: string;
  readonly requestId?: string;
  /** The request is about signing in; whose name was typed, if that is known. */
  readonly signIn?: { readonly name?: string };
  /** Of the client, as far as proxies are trusted; absent: the other end of the socket. */
  readonly address?: string;
}

export function audited(denials: Denials): Middleware {
  return async (ctx, next) => {
    const denied = await withOrigin(() => originOf(ctx), next);
    const denial = denialOf(ctx, denied);
    if (denial !== undefined) denials.note(denial);
  };
}

function originOf(ctx: Context): Origin {
  const { principal, verdict, route } = ctx.state as AuditedState;
  return {
    ...(principal && { principal: { id: principal.id, kind: principal.kind, name: principal.name } }),
    credential: principal?.credential,
    credentialId: principal?.credentialId,
    address: addressOf(ctx),
    route,
    path: pathOf(ctx),
    reason: verdict?.reason,
  };
}

/** @param refused why something below the guard said no */
function denialOf(ctx: Context, refused: string | undefined): Denial | undefined {
  const { target, verdict, action, route, requestId, signIn, ...state } = ctx.state as AuditedState;
  // Nobody yet: whoever it is has still to be believed.
  const principal = signIn === undefined ? state.principal : undefined;
  const reason = refused ?? reasonOf(ctx, principal, verdict);
  if (reason === undefined) return undefined;
  const path = pathOf(ctx);
  const unknown = principal === undefined;
  return {
    action: unknown ? 'sign-in' : (action ?? route ?? ctx.method),
    reason,
    principal_id: principal?.id || null,
    principal_kind: principal?.kind ?? null,
    principal_name: principal?.name ?? null,
    attempted: unknown ? attemptedName(ctx) : null,
    credential: principal?.credential ?? null,
    credential_id: principal?.credentialId ?? null,
    address: addressOf(ctx) || null,
    request_id: requestId ?? null,
    route: route ?? null,
    project_id: target?.project?.id ?? null,
    project: path === undefined ? null : projectOf(path),
    repository: path?.includes('/') ? path : null,
    reference: referenceOf(ctx),
  };
}

/** Undefined when the answer is no denial. Who shows no credentials is asked for some, which is none. */
function reasonOf(ctx: Context, principal: Principal | undefined, verdict: Verdict | undefined): string | undefined {
  const { status } = ctx;
  if (principal === undefined) {
    const tried = ctx.req.headers.authorization !== undefined || ctx.method === 'POST';
    if (status === 401 && tried) return 'the credentials are not valid';
    if (status === 403) return 'refused before anyone was known';
    return status === 429 && tried ? 'too many attempts to sign in' : undefined;
  }
  const denied = verdict?.effect === 'deny';
  if (status === 403) return denied ? verdict.reason : 'not for this principal';
  if (principal.kind === 'anonymous') return undefined;
  // A token that says less than its owner may is a request for another token.
  if ((status === 401 || status === 404) && denied && !verdict.insufficientScope) return verdict.reason;
  return undefined;
}

function pathOf(ctx: Context): string | undefined {
  const { path, target } = ctx.state as AuditedState;
  return (path ?? target?.path) || undefined;
}

/** People type passwords where the name belongs, so it is kept only if there is an account of that name. */
function attemptedName(ctx: Context): string | null {
  const credentials = parseAuthorization(ctx.req.headers.authorization ?? '');
  const typed = credentials?.scheme === 'basic' ? credentials.username : (ctx.state as AuditedState).signIn?.name;
  const name = typed?.toLowerCase() ?? '';
  return isAccountName(name) ? name : null;
}

const CONTROL = /\p{Cc}/gu;

/** Which child of the repository or project was meant: the route's last parameter. */
function referenceOf(ctx: Context): string | null {
  const { name: _name, project: _project, ...rest } = (ctx['params'] ?? {}) as Record<string, string | undefined>;
  const text = Object.values(rest).at(-1);
  return text === undefined ? null : text.slice(0, 300).replace(CONTROL, '');
}
