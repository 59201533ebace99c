/**
 * What a browser sends by itself. Its cookie counts on /api/v1 and /auth/token alone, and only when the request comes from
 * the hub's own pages: a cookie goes along with requests that other sites make.
 *
 * Three things stand against those, any of which is enough: SameSite=Lax, the headers that browsers set and scripts cannot
 * (Sec-Fetch-Site, Origin), and for every change a token that only the hub's own pages can read.
 */
import type { Context } from 'koa';
import { addressOf } from '../http/client-address.ts';
import type { Caller } from './identify.ts';
import { chooseOrigin } from './origins.ts';
import { isCsrfTokenOf, isSessionSecret, type Session } from './sessions.ts';

/** With this prefix browsers accept a cookie only over https, from this very host, for all paths. */
const SECURE_NAME = '__Host-berth_session';
/** Over plain http, which is for trying things out on one machine, browsers refuse the prefix. */
const PLAIN_NAME = 'berth_session';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
export const CSRF_HEADER = 'x-berth-csrf';

/** A request that a browser may have been tricked into: 403. */
export class CrossSite extends Error {
  override readonly name = 'CrossSite';
}

/**
 * The credentials of a request: its Authorization header, or else the session in its cookie.
 * @throws {CrossSite} when there is a session and the request may come from somewhere else
 */
export function callerOf(ctx: Context, publicUrls: readonly string[]): Caller {
  const address = addressOf(ctx);
  const { authorization } = ctx.req.headers;
  if (authorization !== undefined && authorization !== '') return { authorization, address };
  const secret = sessionSecret(ctx, publicUrls);
  if (secret === undefined) return { authorization: undefined, address };
  requireSameOrigin(ctx, publicUrls);
  if (!SAFE.has(ctx.method) && !isCsrfTokenOf(secret, ctx.get(CSRF_HEADER))) {
    throw new CrossSite(`Send the csrf_token of GET /api/v1/session as header ${CSRF_HEADER}.`);
  }
  return { authorization: { scheme: 'session', secret }, address };
}

/** The secret of the session that the browser has, live or not. */
export function sessionSecret(ctx: Context, publicUrls: readonly string[]): string | undefined {
  const value = readCookie(ctx, isSecure(ctx, publicUrls) ? SECURE_NAME : PLAIN_NAME);
  return value !== undefined && isSessionSecret(value) ? value : undefined;
}

/** For what a browser may only do from the hub's own pages. @throws {CrossSite} */
export function requireSameOrigin(ctx: Context, publicUrls: readonly string[]): void {
  const site = ctx.get('Sec-Fetch-Site');
  const { origin } = ctx.req.headers;
  // `none`: typed into the address bar.
  const foreign = site !== '' && site !== 'same-origin' && site !== 'none';
  if (foreign || (origin !== undefined && !publicUrls.includes(origin))) {
    throw new CrossSite('This was sent from the page of another site.');
  }
}

export function giveSession(ctx: Context, publicUrls: readonly string[], secret: string, session: Session): void {
  const seconds = Math.max(0, Math.floor((session.expiresAt.getTime() - session.createdAt.getTime()) / 1000));
  writeCookie(ctx, publicUrls, secret, seconds);
}

export function takeSession(ctx: Context, publicUrls: readonly string[]): void {
  writeCookie(ctx, publicUrls, '', 0);
}

function writeCookie(ctx: Context, publicUrls: readonly string[], value: string, seconds: number): void {
  const secure = isSecure(ctx, publicUrls);
  const name = secure ? SECURE_NAME : PLAIN_NAME;
  setCookie(ctx, `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`);
}

export function setCookie(ctx: Context, cookie: string): void {
  ctx.append('Set-Cookie', cookie);
}

/** By the public URL that the request chose: the hub itself speaks plain http to the proxy in front of it. */
export function isSecure(ctx: Context, publicUrls: readonly string[]): boolean {
  return chooseOrigin(publicUrls, ctx.req.headers.host).startsWith('https:');
}

/** Undefined also when there are two of the name: then one of them was planted. */
export function readCookie(ctx: Context, name: string): string | undefined {
  const found = (ctx.req.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`));
  return found.length === 1 ? (found[0] as string).slice(name.length + 1) : undefined;
}
