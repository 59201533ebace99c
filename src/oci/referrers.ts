/** Referrers: end-12. */
import type { Middleware } from 'koa';
import { OCI_INDEX } from '../registry/manifest.ts';
import { fallbackTag, listReferrers } from '../registry/referrers.ts';
import { linkNext, queryText } from './answers.ts';
import { digestOf } from './blobs.ts';
import { OciError } from './errors.ts';
import { stateOf, type OciDoor } from './guard.ts';

export function getReferrers({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const digest = digestOf(ctx);
    const { path, principal, repository } = stateOf(ctx);
    const filter = ctx.query['artifactType'];
    const artifactTypes = (Array.isArray(filter) ? filter : [filter ?? '']).filter((type) => type !== '');
    const cursor = queryText(ctx, 'after');
    if (!/^\d{0,15}$/.test(cursor))
      throw new OciError(400, 'UNSUPPORTED', 'after must come from the Link of the page before');
    const tag = await registry.scenes.resolve({ path, principalId: principal.id, tag: fallbackTag(digest) });
    const page = await listReferrers(registry, repository, digest, {
      artifactTypes,
      after: Number(cursor),
      fallback: tag.tagDigest,
    });
    if (artifactTypes.length > 0) ctx.set('OCI-Filters-Applied', 'artifactType');
    if (page.next !== undefined) {
      linkNext(ctx, `/v2/${path}/referrers/${digest}`, { artifactType: artifactTypes, after: String(page.next) });
    }
    // Exactly this type: go-containerregistry falls back to tags when a charset follows.
    ctx.set('Content-Type', OCI_INDEX);
    ctx.set('Content-Length', String(Buffer.byteLength(page.body)));
    ctx.respond = false;
    ctx.res.statusCode = 200;
    ctx.res.end(ctx.method === 'HEAD' ? undefined : page.body);
  };
}
