/** The token endpoint and the keys to its tokens (distribution token specification; RFC 6749 section 4.3 for POST). */
import type { Context, Middleware } from 'koa';
import { sendJson } from '../http/json.ts';
import { mount, route, type Route } from '../http/table.ts';
import { addressOf } from '../http/client-address.ts';
import type { Authenticator } from './authenticate.ts';
import { callerOf } from './browser.ts';
import { readForm } from './form.ts';
import { identify, type Caller } from './identify.ts';
import { finishSignIn, startSignIn, type OidcDoor } from './oidc-routes.ts';
import type { KeyRing } from './keys.ts';
import { chooseOrigin, serviceOf } from './origins.ts';
import type { Facts, Gate } from './principal.ts';
import type { RegistryTokens } from './registry-tokens.ts';
import { BadRequest, NoSuchRoute, writeAuthError } from './route-errors.ts';
import { formatScopes } from './scopes.ts';
import { createTokenEndpoint, type Exchanged, type TokenEndpoint } from './token-endpoint.ts';

export interface AuthDoor extends OidcDoor {
  readonly tokens: RegistryTokens;
  readonly keys: KeyRing;
  readonly authenticator: Authenticator;
  readonly gate: Gate;
  readonly facts: Facts;
  /** Told of errors that are the hub's own. */
  readonly report: (error: unknown, requestId: string) => void;
}

/** The token endpoint decides for itself who is asking; keys are public by nature. */
type AuthPolicy = 'public';

export function authRoutes(door: AuthDoor): Route<AuthPolicy>[] {
  const endpoint = createTokenEndpoint(door, door.publicUrls);
  return [
    { id: 'token', method: 'GET', path: '/auth/token', policy: 'public', handler: getToken(door, endpoint) },
    { id: 'token-post', method: 'POST', path: '/auth/token', policy: 'public', handler: postToken(door, endpoint) },
    { id: 'jwks', method: 'GET', path: '/auth/jwks', policy: 'public', handler: getKeys(door) },
    route('oidc-start', 'GET', '/auth/oidc/:provider', 'public', startSignIn(door)),
    route('oidc-callback', 'GET', '/auth/oidc/:provider/callback', 'public', finishSignIn(door)),
  ];
}

/** Everything under /auth. Errors are JSON as registries write them, which is what token clients read. */
export function authDoor(door: AuthDoor): Middleware {
  const table = mount(authRoutes(door), () => (_, next) => next());
  return async (ctx, next) => {
    if (ctx.path !== '/auth' && !ctx.path.startsWith('/auth/')) return next();
    try {
      await table(ctx, async () => {
        throw new NoSuchRoute();
      });
    } catch (error) {
      writeAuthError(ctx, error, door.report);
    }
  };
}

/**
 * What docker, podman, containerd and everyone else do: Basic credentials or none, scopes in the query. The hub's own pages
 * bring their session, since /v2 does not look at cookies.
 */
function getToken(door: AuthDoor, endpoint: TokenEndpoint): Middleware {
  return async (ctx) => {
    const { token, expiresIn, issuedAt } = await exchange(
      ctx,
      door,
      endpoint,
      callerOf(ctx, door.publicUrls),
      new URLSearchParams(ctx.querystring),
    );
    sendJson(ctx, { token, access_token: token, expires_in: expiresIn, issued_at: issuedAt.toISOString() });
  };
}

/**
 * What containerd, BuildKit and helm try first. Status 400 and 401 make them fall back to GET; anything else is final to
 * them, so whatever is wrong with the form itself is a 400. There are no refresh tokens.
 */
function postToken(door: AuthDoor, endpoint: TokenEndpoint): Middleware {
  return async (ctx) => {
    const form = await readForm(ctx);
    if (form === undefined) throw new BadRequest('Post a form (application/x-www-form-urlencoded).');
    if (form.get('grant_type') !== 'password') {
      throw new BadRequest('The grant type offered is password; use it, or GET with Basic credentials.');
    }
    const [username, password] = [form.get('username') ?? '', form.get('password') ?? ''];
    ctx.state['signIn'] = { name: username };
    if (password === '') throw new BadRequest('The form needs username and password.');
    const authorization = { scheme: 'basic', username, password } as const;
    const caller = { authorization, address: addressOf(ctx) };
    const { token, expiresIn, issuedAt, access } = await exchange(ctx, door, endpoint, caller, form);
    sendJson(ctx, {
      token,
      access_token: token,
      token_type: 'Bearer',
      expires_in: expiresIn,
      issued_at: issuedAt.toISOString(),
      scope: formatScopes(access),
    });
  };
}

async function exchange(
  ctx: Context,
  door: AuthDoor,
  endpoint: TokenEndpoint,
  caller: Caller,
  parameters: URLSearchParams,
): Promise<Exchanged> {
  ctx.set('Cache-Control', 'no-store');
  const service = parameters.get('service') ?? '';
  if (service !== '' && !door.publicUrls.some((url) => serviceOf(url) === service)) {
    throw new BadRequest('This hub issues no tokens for that service; take service from the WWW-Authenticate header.');
  }
  const who = await identify(door.authenticator, caller, (id) => door.facts('', id));
  ctx.state['principal'] = who.principal;
  return endpoint.exchange(who, parameters.getAll('scope'), chooseOrigin(door.publicUrls, ctx.req.headers.host));
}

function getKeys({ keys }: AuthDoor): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=300');
    sendJson(ctx, await keys.jwks());
  };
}
