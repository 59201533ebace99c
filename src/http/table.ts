/** Routes as a table: one line each, the policy on the line. */
import { createRequire } from 'node:module';
import type * as KoaRouter from '@koa/router';
import type { Context, Middleware } from 'koa';

// Its CommonJS form: the other one imports node:http, which loads the implementation of fetch (server.ts).
const { Router } = createRequire(import.meta.url)('@koa/router') as typeof KoaRouter;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route<Policy> {
  /** What logs, metrics and tests call it; for OCI routes the specification's own id (end-1 … end-14). */
  readonly id: string;
  /** GET answers HEAD too. */
  readonly method: Method;
  /** As @koa/router 15 reads it: `/v2/*name/blobs/:digest`. */
  readonly path: string;
  readonly policy: Policy;
  readonly handler: Middleware;
}

/** A line of a table. */
export function route<Policy>(
  id: string,
  method: Method,
  path: string,
  policy: Policy,
  handler: Middleware,
): Route<Policy> {
  return { id, method, path, policy, handler };
}

/** @throws when a route has no policy or two routes share an id (promise P12) */
export function requirePolicies(routes: readonly Route<unknown>[]): void {
  const ids = new Set<string>();
  for (const { id, method, path, policy } of routes) {
    if (policy === undefined || policy === null) throw new Error(`Route ${id} (${method} ${path}) declares no policy`);
    if (ids.has(id)) throw new Error(`Two routes are called ${id}`);
    ids.add(id);
  }
}

/**
 * Turns a table into one middleware. `enforce` makes the guard that runs before the handler, for each route, from the
 * route's policy alone.
 * @throws as `requirePolicies` does
 */
export function mount<Policy>(routes: readonly Route<Policy>[], enforce: (policy: Policy) => Middleware): Middleware {
  // Strict: `/blobs/uploads/` is not `/blobs/:digest` with a slash too many.
  const router = new Router({ strict: true });
  requirePolicies(routes);
  for (const line of routes) {
    const name: Middleware = (ctx, next) => {
      ctx.state.route = line.id;
      return next();
    };
    router.register(line.path, [line.method], [name, enforce(line.policy), line.handler] as never);
  }
  return router.routes() as unknown as Middleware;
}

/** Methods that the table offers at the request's path; for what fell through it. */
export function methodsAt(ctx: Context): string[] {
  const matched = (ctx as { matched?: { methods: string[] }[] }).matched ?? [];
  return matched.flatMap((layer) => layer.methods);
}
