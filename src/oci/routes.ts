/**
 * The OCI distribution API, in the order of the specification's table of endpoints. Read beside
 * distribution-spec/spec.md#endpoints; the ids are its own.
 */
import type { Context, Middleware } from 'koa';
import { methodsAt, mount, type Route } from '../http/table.ts';
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
    { id: 'end-1', method: 'GET', path: '/v2', policy: token, handler: version },
    { id: 'end-1/', method: 'GET', path: '/v2/', policy: token, handler: version },
    { id: 'end-2', method: 'GET', path: '/v2/*name/blobs/:digest', policy: can('pull'), handler: getBlob(door) },
    {
      id: 'end-3',
      method: 'GET',
      path: '/v2/*name/manifests/:reference',
      policy: can('pull'),
      handler: getManifest(door),
    },
    { id: 'end-4', method: 'POST', path: '/v2/*name/blobs/uploads', policy: can('push'), handler: postUpload(door) },
    { id: 'end-4/', method: 'POST', path: '/v2/*name/blobs/uploads/', policy: can('push'), handler: postUpload(door) },
    {
      id: 'end-5',
      method: 'PATCH',
      path: '/v2/*name/blobs/uploads/:id',
      policy: can('push'),
      handler: patchUpload(door),
    },
    {
      id: 'end-6',
      method: 'PUT',
      path: '/v2/*name/blobs/uploads/:id',
      policy: can('push'),
      handler: finishUpload(door),
    },
    {
      id: 'end-7',
      method: 'PUT',
      path: '/v2/*name/manifests/:reference',
      policy: can('push'),
      handler: putManifest(door),
    },
    { id: 'end-8', method: 'GET', path: '/v2/*name/tags/list', policy: can('pull'), handler: getTags(door) },
    {
      id: 'end-9',
      method: 'DELETE',
      path: '/v2/*name/manifests/:reference',
      policy: can('delete'),
      handler: deleteManifest(door),
    },
    {
      id: 'end-10',
      method: 'DELETE',
      path: '/v2/*name/blobs/:digest',
      policy: can('delete'),
      handler: deleteBlob(door),
    },
    {
      id: 'end-12',
      method: 'GET',
      path: '/v2/*name/referrers/:digest',
      policy: can('pull'),
      handler: getReferrers(door),
    },
    { id: 'end-13', method: 'GET', path: '/v2/*name/blobs/uploads/:id', policy: can('push'), handler: getUpload(door) },
    {
      id: 'end-14',
      method: 'DELETE',
      path: '/v2/*name/blobs/uploads/:id',
      policy: can('push'),
      handler: cancelUpload(door),
    },
    { id: 'catalog', method: 'GET', path: '/v2/_catalog', policy: catalog, handler: getCatalog(door) },
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
