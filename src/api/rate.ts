/**
 * How many requests one principal, or one address without credentials, may send in a minute. Counted in each worker by itself, so
 * a client that meets several of them has a little more; it is there against runaways, not for billing.
 */
import type { Context } from 'koa';
import type { Principal } from '../auth/principal.ts';
import { counted } from '../cache/counted.ts';
import { Problem } from './problems.ts';

export interface Rate {
  /** Counts the request and says in its answer how many are left. @throws {Problem} too-many-requests */
  count(ctx: Context, principal: Principal, address: string): void;
}

const WINDOW_MS = 60_000;
/** Who is forgotten first begins anew: better than memory without end. */
const MOST_CLIENTS = 50_000;

/** @param perMinute 0: without limit */
export function createRate(perMinute: number, now: () => number = () => performance.now()): Rate {
  if (perMinute === 0) return { count() {} };
  const windows = counted<string, { start: number; used: number }>(MOST_CLIENTS);
  return {
    count(ctx, principal, address) {
      const key = principal.id === 0 ? `address ${address}` : `principal ${principal.id}`;
      let window = windows.get(key);
      if (window === undefined || now() - window.start >= WINDOW_MS) {
        window = { start: now(), used: 0 };
        windows.set(key, window);
      }
      window.used++;
      const left = Math.max(0, perMinute - window.used);
      const seconds = Math.max(1, Math.ceil((window.start + WINDOW_MS - now()) / 1000));
      const headers = { 'RateLimit-Policy': `"api";q=${perMinute};w=60`, RateLimit: `"api";r=${left};t=${seconds}` };
      ctx.set(headers);
      if (window.used > perMinute) {
        throw new Problem('too-many-requests', `At most ${perMinute} requests a minute; go on in ${seconds} s.`, {
          headers: { 'Retry-After': String(seconds) },
        });
      }
    },
  };
}
