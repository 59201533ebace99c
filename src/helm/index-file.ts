/** GET index.yaml. */
import type { Middleware } from 'koa';
import { matches } from '../http/send.ts';
import { indexFile } from '../registry/charts/index-file.ts';
import type { HelmDoor } from './guard.ts';
import { visibleCharts } from './visible.ts';
import { stateOf } from './guard.ts';
import { sendPieces } from './send-pieces.ts';

export function getIndex(door: HelmDoor): Middleware {
  return async (ctx) => {
    const { namedNow } = stateOf(ctx);
    const index = indexFile(namedNow, await visibleCharts(door, ctx));
    const packs = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    const etag = `"${index.hash}${packs ? '-gzip' : ''}"`;
    // Private: what is listed depends on who asks.
    ctx.set({ 'Cache-Control': 'private, no-cache', Vary: 'Authorization, Accept-Encoding', ETag: etag });
    if (matches(ctx.get('If-None-Match'), etag)) {
      ctx.status = 304;
      return;
    }
    if (packs) ctx.set('Content-Encoding', 'gzip');
    // JSON is YAML; what it is called is what ChartMuseum calls it.
    const body = packs ? await index.gzipped() : index.bytes();
    sendPieces(ctx, 'application/x-yaml', { pieces: [body], size: body.length });
  };
}
