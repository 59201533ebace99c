/** `_catalog`: reserved by the specification, expected by every tool. */
import type { Middleware } from 'koa';
import { listCatalog, MAX_CATALOG_PAGE } from '../registry/catalog.ts';
import { linkNext, pageSize, queryText } from './answers.ts';
import { requireCatalogScope, stateOf, type OciDoor } from './guard.ts';

export function getCatalog(door: OciDoor): Middleware {
  const { registry } = door;
  return async (ctx) => {
    requireCatalogScope(door, ctx);
    const n = pageSize(ctx);
    const page = await listCatalog(registry, stateOf(ctx).principal, n ?? MAX_CATALOG_PAGE, queryText(ctx, 'last'));
    if (page.next !== undefined) linkNext(ctx, '/v2/_catalog', { ...(n && { n: String(n) }), last: page.next });
    ctx.set('Content-Type', 'application/json');
    ctx.body = JSON.stringify({ repositories: page.paths });
  };
}
