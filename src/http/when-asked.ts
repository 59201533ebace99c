/** Doors that are opened by the first request for them. */
import type { Middleware } from 'koa';

/**
 * A middleware whose code is loaded when it is first wanted: until then it costs no memory. Requests that come meanwhile wait.
 * @param isFor whether a request is for it, judged by its path
 */
export function whenAsked(isFor: (path: string) => boolean, load: () => Promise<Middleware>): Middleware {
  let door: Promise<Middleware> | undefined;
  return async (ctx, next) => {
    if (!isFor(ctx.path)) return next();
    // Tried again by the next request when it fails.
    door ??= load().catch((error: unknown) => {
      door = undefined;
      throw error;
    });
    return (await door)(ctx, next);
  };
}
