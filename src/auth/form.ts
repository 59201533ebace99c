/** Small forms (application/x-www-form-urlencoded), such as OAuth clients post. */
import type { Context } from 'koa';
import { readAll } from '../http/body.ts';

const LIMIT = 64 * 1024;
/** A form is a few hundred bytes; one that takes longer is a mistake or an attack. */
const PACE = { idleSeconds: 10, minRate: 100 };

/**
 * Undefined when the body is not a form.
 * @throws {BodyTooLarge} above 64 KiB
 */
export async function readForm(ctx: Context): Promise<URLSearchParams | undefined> {
  if (!ctx.is('application/x-www-form-urlencoded')) return undefined;
  return new URLSearchParams((await readAll(ctx, LIMIT, PACE)).toString('utf8'));
}
