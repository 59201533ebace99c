/** Pages of lists: a cursor says where the last page ended; the header Link says where the next one begins (RFC 8288). */
import type { Context } from 'koa';
import { z } from 'zod';
import { Problem } from './problems.ts';

const LARGEST = 1_000;

/** The query of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LARGEST).default(100).describe('Items in one page.'),
  cursor: z.string().max(1_000).optional().describe('From `next_cursor` of the page before.'),
});

/** The answer of every list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().optional().describe('Absent on the last page. The header Link has the same, as a URL.'),
  });
}

/** Cursors are opaque to clients; `key` is the sort key of the page's last item. */
export function encodeCursor(key: string | number): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** @throws {Problem} when it is not one of ours */
export function decodeCursor(cursor: string | undefined): string | undefined;
export function decodeCursor(cursor: string | undefined, type: 'number'): number | undefined;
export function decodeCursor(cursor: string | undefined, type: 'string' | 'number' = 'string'): unknown {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (typeof key === type && (type === 'string' ? !String(key).includes('\0') : Number.isSafeInteger(key)))
      return key;
  } catch {
    // Falls through to the refusal.
  }
  throw new Problem('validation-failed', 'Take the cursor from next_cursor of the page before.', {
    faults: [{ at: 'cursor', message: 'Not a cursor of this list' }],
  });
}

/**
 * Cuts what was read with one more than `limit` to a page.
 * @param keyOf the sort key
 */
export function page<T, I>(rows: readonly T[], limit: number, keyOf: (row: T) => string | number, show: (row: T) => I) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: items.map(show), ...(more && { next_cursor: encodeCursor(keyOf(last)) }) };
}

/** `Link: <…>; rel="next"`, relative, so that no Host header is trusted. */
export function writeNext(ctx: Context, cursor: string | undefined): void {
  if (cursor === undefined) return;
  const query = new URLSearchParams(ctx.querystring);
  query.set('cursor', cursor);
  ctx.set('Link', `<${ctx.path}?${query.toString()}>; rel="next"`);
}
