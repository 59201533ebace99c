/** Questions of orchestrators: /livez, /readyz, /healthz, /version. */
import type { Middleware } from 'koa';
import { mount, route, type Route } from './http/table.ts';

export interface Health {
  readonly version: string;
  /** True once the process was told to end. */
  draining(): boolean;
  /** Named checks; each throws when its part cannot be used. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
}

type Public = { readonly kind: 'public' };
const anyone: Public = { kind: 'public' };
const CHECK_MS = 3_000;
const REMEMBER_MS = 2_000;

export function healthRoutes(health: Health): Middleware {
  const answer = ready(health);
  const routes: Route<Public>[] = [
    route('livez', 'GET', '/livez', anyone, (ctx) => void (ctx.body = 'ok\n')),
    route('readyz', 'GET', '/readyz', anyone, answer),
    route('healthz', 'GET', '/healthz', anyone, answer),
    route('version', 'GET', '/version', anyone, (ctx) => void (ctx.body = { version: health.version })),
  ];
  return mount(routes, () => (_ctx, next) => next());
}

/** One line per check, as Kubernetes prints them; 503 when one fails or the process is ending. */
function ready(health: Health): Middleware {
  const names = Object.keys(health.checks);
  let last: { at: number; results: Promise<boolean[]> } | undefined;
  // Anyone may ask, and a check writes to the store; so one answer holds for a moment.
  const results = (): Promise<boolean[]> => {
    if (last === undefined || performance.now() - last.at > REMEMBER_MS) {
      last = { at: performance.now(), results: Promise.all(names.map((name) => passes(health.checks[name]))) };
    }
    return last.results;
  };
  return async (ctx) => {
    const passed = await results();
    const ok = !health.draining() && passed.every(Boolean);
    const lines = names.map((name, i) => `[${passed[i] ? '+' : '-'}] ${name}`);
    if (health.draining()) lines.push('[-] ending');
    ctx.status = ok ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = `${lines.join('\n')}\n${ok ? 'ready' : 'not ready'}\n`;
  };
}

async function passes(check: (() => Promise<unknown>) | undefined): Promise<boolean> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('took too long')), CHECK_MS);
  try {
    await Promise.race([check?.(), late.promise]);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
