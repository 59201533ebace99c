/** Answers made of many buffers that are at hand: written as they are, without being put together first. */
import type { Context } from 'koa';
import { STALL_MS } from '../http/send.ts';

export function sendPieces(ctx: Context, type: string, body: { pieces: readonly Buffer[]; size: number }): void {
  const { res } = ctx;
  ctx.status = 200;
  ctx.set('Content-Type', type);
  ctx.set('Content-Length', String(body.size));
  ctx.respond = false;
  res.setTimeout(STALL_MS, () => res.destroy());
  res.cork();
  if (ctx.method !== 'HEAD') for (const piece of body.pieces) res.write(piece);
  res.end();
  res.uncork();
}
