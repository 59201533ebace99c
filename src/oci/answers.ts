/** Pieces of answers that several endpoints share. */
import type { Context } from 'koa';
import { OciError } from './errors.ts';

/** An answer without a body. Koa would turn a null body into 204, which is not what the specification says. */
export function empty(ctx: Context, status: number): void {
  ctx.body = '';
  ctx.remove('Content-Type');
  ctx.status = status;
  ctx.set('Content-Length', '0');
}

/** `n` of a paged list; undefined when the client did not limit it. */
export function pageSize(ctx: Context): number | undefined {
  const text = ctx.query['n'];
  if (text === undefined || text === '') return undefined;
  if (typeof text !== 'string' || !/^\d{1,9}$/.test(text)) {
    throw new OciError(400, 'UNSUPPORTED', 'n must be a whole number, 0 or more');
  }
  return Number(text);
}

/** The first value of a query parameter, or ''. */
export function queryText(ctx: Context, name: string): string {
  const value = ctx.query[name];
  return checked(name, (Array.isArray(value) ? value[0] : value) ?? '');
}

/** Every value of a repeated query parameter; empty ones do not count. */
export function queryTexts(ctx: Context, name: string): string[] {
  const value = ctx.query[name] ?? [];
  return (Array.isArray(value) ? value : [value]).filter((text) => text !== '').map((text) => checked(name, text));
}

/** Postgres has no text with U+0000 in it. */
function checked(name: string, text: string): string {
  if (text.includes('\0') || text.length > 1_024)
    throw new OciError(400, 'UNSUPPORTED', `${name} is no text that anything here has`);
  return text;
}

/** `Link: <…>; rel="next"`, relative, so that it survives any proxy in front (RFC 8288). */
export function linkNext(ctx: Context, path: string, query: Record<string, string | readonly string[]>): void {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'string' ? [value] : value) params.append(name, one);
  }
  ctx.set('Link', `<${path}?${params.toString()}>; rel="next"`);
}
