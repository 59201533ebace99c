/** Answers in JSON. */
import type { Context } from 'koa';

/**
 * Answers with a value as JSON. Koa does it too, but looks first whether the value is one of fetch's answers, which loads the
 * implementation of fetch into every process that answers once.
 */
export function sendJson(ctx: Context, value: object): void {
  ctx.type = 'json';
  ctx.body = JSON.stringify(value);
}
