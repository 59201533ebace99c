/** POST: a form with files, or `?finalise`. */
import type { Middleware } from 'koa';
import { hasBody } from '../http/body.ts';
import { finalise } from '../registry/files/versions.ts';
import { sayDigests } from './checksums.ts';
import { FileError, wantsJson } from './errors.ts';
import { requireRepository, stateOf, type FilesDoor } from './guard.ts';
import { postFiles } from './multipart.ts';
import { tagToWrite } from './write.ts';

export function post(door: FilesDoor): Middleware {
  const form = postFiles(door);
  return (ctx, next) => (ctx.query['finalise'] === undefined ? form(ctx, next) : finaliseVersion(door)(ctx, next));
}

/** `curl -X POST '…/files/team/tools:1.0/?finalise'`: from then on nothing about the version changes. */
function finaliseVersion({ registry }: FilesDoor): Middleware {
  return async (ctx) => {
    const { address, scene, principal, requestId } = stateOf(ctx);
    if (address.kind !== 'folder' || address.folder !== '') {
      throw new FileError(
        405,
        'method-not-allowed',
        'A version is finalised as a whole: /files/team/tools:1.0/?finalise',
      );
    }
    if (hasBody(ctx.req)) throw new FileError(400, 'request-invalid', 'Finalising takes no body');
    const tag = tagToWrite(ctx);
    const repository = requireRepository(ctx);
    const digest = await finalise(registry, { scene, repository, principal, requestId, tag });
    sayDigests(ctx, digest);
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Type', wantsJson(ctx) ? 'application/json' : 'text/plain; charset=utf-8');
    const text = `${repository.path}:${tag} is final: ${digest}\n`;
    ctx.body = wantsJson(ctx)
      ? JSON.stringify({ repository: repository.path, version: tag, digest, final: true })
      : text;
  };
}
