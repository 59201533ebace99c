/** Files come from anyone who may push; whatever is in them, a browser that gets one must not run it in the hub's name. */
import type { Context } from 'koa';
import { baseName } from '../registry/files/path.ts';

/** Types that no browser runs or renders as a document. Anything else is bytes. */
const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain; charset=utf-8',
  md: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  asc: 'text/plain; charset=utf-8',
  sha256: 'text/plain; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  gz: 'application/gzip',
  tgz: 'application/gzip',
  zip: 'application/zip',
  tar: 'application/x-tar',
};

export function typeOf(path: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  return (Object.hasOwn(TYPES, extension) && TYPES[extension]) || 'application/octet-stream';
}

/** For every answer that repeats what somebody uploaded. `nosniff` is on all answers (`http/requests.ts`). */
export function sandbox(ctx: Context): void {
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  ctx.set('Referrer-Policy', 'no-referrer');
}

/** To be saved, not shown, under its last name (RFC 6266, RFC 8187). */
export function attach(ctx: Context, name: string): void {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  ctx.set(
    'Content-Disposition',
    `attachment; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${encoded}`}`,
  );
}
