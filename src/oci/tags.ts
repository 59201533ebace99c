/** Tag lists: end-8. */
import type { Middleware } from 'koa';
import { listTags } from '../registry/tags.ts';
import { linkNext, pageSize, queryText } from './answers.ts';
import { requireRepository, stateOf, type OciDoor } from './guard.ts';

export function getTags({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const repository = requireRepository(ctx);
    const n = pageSize(ctx);
    const page = await listTags(registry, repository, n, queryText(ctx, 'last'));
    const { path } = stateOf(ctx);
    if (page.next !== undefined)
      linkNext(ctx, `/v2/${path}/tags/list`, { ...(n && { n: String(n) }), last: page.next });
    ctx.set('Content-Type', 'application/json');
    ctx.body = `{"name":"${path}","tags":[${page.names}]}`;
  };
}
