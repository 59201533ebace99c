/**
 * The OCI distribution API, in the order of the specification's table of endpoints. Read beside
 * distribution-spec/spec.md#endpoints; the ids are its own.
 */
import type { Context, Middleware } from 'koa';
import { methodsAt, mount, route, type Route } from '../http/table.ts';
import { toOciError, writeOciError, OciError } from './errors.ts';
import { can, catalog, enforce, token, type OciDoor, type OciPolicy } from './guard.ts';
import { deleteBlob, getBlob } from './blobs.ts';
import { getCatalog } from './catalog.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import { getReferrers } from './referrers.ts';
import { getTags } from './tags.ts';
import { cancelUpload, finishUpload, getUpload, patchUpload, postUpload } from './uploads.ts';

export function ociRoutes(door: OciDoor): Route<OciPolicy>[] {
  return [
    route('end-1', 'GET', '/v2', token, version),
    route('end-1/', 'GET', '/v2/', token, version),
    route('end-2', 'GET', '/v2/*name/blobs/:digest', can('pull'), getBlob(door)),
    route('end-3', 'GET', '/v2/*name/manifests/:reference', can('pull'), getManifest(door)),
    // Also end-11: `?mount=`.
    route('end-4', 'POST', '/v2/*name/blobs/uploads', can('push'), postUpload(door)),
    route('end-4/', 'POST', '/v2/*name/blobs/uploads/', can('push'), postUpload(door)),
    route('end-5', 'PATCH', '/v2/*name/blobs/uploads/:id', can('push'), patchUpload(door)),
    route('end-6', 'PUT', '/v2/*name/blobs/uploads/:id', can('push'), finishUpload(door)),
    route('end-7', 'PUT', '/v2/*name/manifests/:reference', can('push'), putManifest(door)),
    route('end-8', 'GET', '/v2/*name/tags/list', can('pull'), getTags(door)),
    route('end-9', 'DELETE', '/v2/*name/manifests/:reference', can('delete'), deleteManifest(door)),
    route('end-10', 'DELETE', '/v2/*name/blobs/:digest', can('delete'), deleteBlob(door)),
    route('end-12', 'GET', '/v2/*name/referrers/:digest', can('pull'), getReferrers(door)),
    route('end-13', 'GET', '/v2/*name/blobs/uploads/:id', can('push'), getUpload(door)),
    route('end-14', 'DELETE', '/v2/*name/blobs/uploads/:id', can('push'), cancelUpload(door)),
    route('catalog', 'GET', '/v2/_catalog', catalog, getCatalog(door)),
  ];
}

/** The whole of /v2: errors in the specification's voice, the table, and JSON for everything that is not in it. */
export function ociDoor(door: OciDoor, log: (error: unknown, requestId: string) => void): Middleware {
  const table = mount(ociRoutes(door), enforce(door));
  return async (ctx, next) => {
    if (ctx.path !== '/v2' && !ctx.path.startsWith('/v2/')) return next();
    ctx.set('Docker-Distribution-API-Version', 'registry/2.0');
    try {
      await table(ctx, async () => {
        throw notOffered(ctx);
      });
    } catch (error) {
      const answer = toOciError(error);
      if (answer.status >= 500) log(error, ctx.state['requestId'] as string);
      if (ctx.res.headersSent || !ctx.writable) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      writeOciError(ctx, answer);
    }
  };
}

/** 405 where other methods are offered, 404 where nothing is. */
function notOffered(ctx: Context): OciError {
  const methods = new Set(methodsAt(ctx));
  if (methods.size === 0)
    return new OciError(404, 'UNSUPPORTED', 'There is nothing at this path of the OCI distribution API');
  const allowed = [...methods].join(', ');
  return new OciError(405, 'UNSUPPORTED', `This path offers ${allowed}, not ${ctx.method}`, undefined, {
    Allow: allowed,
  });
}

const version: Middleware = (ctx) => {
  ctx.set('Content-Type', 'application/json');
  ctx.body = '{}';
};
