/** /auth/oidc: to a provider, and back with what it says. Browsers come here by links and redirects, not by scripts. */
import type { Context, Middleware } from 'koa';
import type { Database } from '../db/database.ts';
import { addressOf } from '../http/client-address.ts';
import { giveSession, isSecure, readCookie, sessionSecret, setCookie } from './browser.ts';
import { InvalidCredentials, SignInRefused } from './errors.ts';
import { admit } from './identities.ts';
import { isAccountName } from './names.ts';
import { ownPath, SIGN_IN_SECONDS, type Oidc } from './oidc.ts';
import { chooseOrigin } from './origins.ts';
import { findProvider, type OidcProvider } from './providers.ts';
import { NoSuchRoute } from './route-errors.ts';
import { startSession, type SessionTimes } from './sessions.ts';

export interface OidcDoor {
  readonly db: Database;
  readonly oidc: Oidc;
  readonly publicUrls: readonly string[];
  readonly sessions: SessionTimes;
}

/** `?return_to=` is a path of the hub's own. */
export function startSignIn({ db, oidc, publicUrls }: OidcDoor): Middleware {
  return async (ctx) => {
    const provider = await providerOf(db, ctx);
    const origin = chooseOrigin(publicUrls, ctx.req.headers.host);
    const redirectUri = new URL(`/auth/oidc/${provider.name}/callback`, origin).href;
    const returnTo = ownPath(new URLSearchParams(ctx.querystring).get('return_to'), origin);
    const { url, sealed } = await oidc.start(provider, { redirectUri, returnTo });
    keep(ctx, publicUrls, sealed, SIGN_IN_SECONDS);
    redirect(ctx, url.href);
  };
}

export function finishSignIn({ db, oidc, publicUrls, sessions }: OidcDoor): Middleware {
  return async (ctx) => {
    const provider = await providerOf(db, ctx);
    const sealed = readCookie(ctx, cookieName(ctx, publicUrls));
    // Whatever comes of it, this start is used up.
    keep(ctx, publicUrls, '', 0);
    if (sealed === undefined) throw new SignInRefused();
    const origin = chooseOrigin(publicUrls, ctx.req.headers.host);
    const vouched = await oidc.finish(provider, new URL(ctx.url, origin), sealed);
    const started = await admit(db, provider, vouched)
      .then((principal) => {
        Object.assign(ctx.state, { principal });
        return startSession(
          db,
          { principal, providerId: provider.id, address: addressOf(ctx), userAgent: ctx.get('User-Agent') },
          sessions,
          { old: sessionSecret(ctx, publicUrls), requestId: ctx.state['requestId'] as string },
        );
      })
      .catch((error: unknown) => {
        if (!(error instanceof InvalidCredentials)) throw error;
        throw new SignInRefused('Your account may not sign in here; ask an administrator of the hub.');
      });
    giveSession(ctx, publicUrls, started.secret, started.session);
    redirect(ctx, new URL(vouched.returnTo, origin).href);
  };
}

async function providerOf(db: Database, ctx: Context): Promise<OidcProvider> {
  const { provider: name = '' } = ctx['params'] as { provider?: string };
  const provider = isAccountName(name) ? await findProvider(db, name) : undefined;
  if (provider?.settings.kind !== 'oidc' || !provider.enabled) throw new NoSuchRoute();
  return provider as OidcProvider;
}

function redirect(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.set({ Location: url, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
  ctx.body = '';
}

function cookieName(ctx: Context, publicUrls: readonly string[]): string {
  return isSecure(ctx, publicUrls) ? '__Host-berth_sign_in' : 'berth_sign_in';
}

/** Lax: the browser brings it when the provider sends it back. */
function keep(ctx: Context, publicUrls: readonly string[], value: string, seconds: number): void {
  const secure = isSecure(ctx, publicUrls) ? '; Secure' : '';
  const name = cookieName(ctx, publicUrls);
  setCookie(ctx, `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`);
}
