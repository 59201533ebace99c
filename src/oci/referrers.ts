/** Referrers: end-12. */
import type { Middleware } from 'koa';
import { OCI_INDEX } from '../registry/manifest.ts';
import { listReferrers } from '../registry/referrers.ts';
import { linkNext, queryText, queryTexts } from './answers.ts';
import { digestOf } from './blobs.ts';
import { OciError } from './errors.ts';
import { stateOf, type OciDoor } from './guard.ts';

export function getReferrers({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const digest = digestOf(ctx);
    const { path, repository } = stateOf(ctx);
    const artifactTypes = queryTexts(ctx, 'artifactType');
    const cursor = queryText(ctx, 'after');
    if (!/^\d{0,15}$/.test(cursor))
      throw new OciError(400, 'UNSUPPORTED', 'after must come from the Link of the page before');
    const page = await listReferrers(registry, repository, digest, {
      artifactTypes,
      after: Number(cursor),
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
