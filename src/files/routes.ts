/**
 * /files: the door for curl and everything else that speaks plain HTTP. docs/files.md is its contract. One path stands for
 * all: what it names is read from the URL (`address.ts`), since a repository's slashes and a file's look the same.
 */
import type { Context, Middleware } from 'koa';
import { methodsAt, mount, route, type Route } from '../http/table.ts';
import { FileError, toFileError, writeFileError } from './errors.ts';
import { can, enforce, read, type FilesDoor, type FilesPolicy } from './guard.ts';
import { post } from './post.ts';
import { patchVersion } from './properties.ts';
import { get } from './read.ts';
import { putFile, remove } from './write.ts';

export function filesRoutes(door: FilesDoor): Route<FilesPolicy>[] {
  return [
    route('files-get', 'GET', '/files/*address', read, get(door)),
    route('files-put', 'PUT', '/files/*address', can('push'), putFile(door)),
    route('files-post', 'POST', '/files/*address', can('push'), post(door)),
    route('files-patch', 'PATCH', '/files/*address', can('push'), patchVersion(door)),
    route('files-delete', 'DELETE', '/files/*address', can('delete'), remove(door)),
  ];
}

export function filesDoor(door: FilesDoor, log: (error: unknown, requestId: string) => void): Middleware {
  const table = mount(filesRoutes(door), enforce(door));
  return async (ctx, next) => {
    if (ctx.path !== '/files' && !ctx.path.startsWith('/files/')) return next();
    try {
      await table(ctx, async () => {
        throw notOffered(ctx);
      });
    } catch (error) {
      const answer = toFileError(error);
      if (answer.status >= 500) log(error, ctx.state['requestId'] as string);
      if (ctx.res.headersSent || !ctx.writable) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      writeFileError(ctx, answer);
    }
  };
}

/** 405 where other methods are offered, 404 where nothing is. */
function notOffered(ctx: Context): FileError {
  const allowed = [...new Set(methodsAt(ctx))].join(', ');
  if (allowed === '') {
    return new FileError(404, 'not-found', 'Name a repository, a version and a file: /files/team/tools:1.0/app.tgz');
  }
  const message = `This path offers ${allowed}, not ${ctx.method}`;
  return new FileError(405, 'method-not-allowed', message, { Allow: allowed });
}
