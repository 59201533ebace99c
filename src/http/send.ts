/** Response bodies from a source of bytes: whole, one range, or several (RFC 9110 sections 14 and 15.3.7). */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';
import { parseRange, type Range } from './ranges.ts';

export interface Content {
  readonly size: number;
  readonly type: string;
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Not empty. One buffer when all of it is at hand. */
  read(range?: Range): Promise<Buffer | AsyncIterable<Buffer>>;
}

/** Becomes 416; Content-Range is set already. */
export class RangeNotSatisfiable extends Error {
  override readonly name = 'RangeNotSatisfiable';
  constructor(size: number) {
    super(`No byte of that range exists; there are ${size}`);
  }
}

/** A receiver that takes nothing for this long is dropped. */
export const STALL_MS = 120_000;

/**
 * Answers GET or HEAD for immutable content: 200, 206 or 304. Headers that the caller has set stay.
 * Resolves when the last byte was handed to the kernel.
 * @throws {RangeNotSatisfiable}
 */
export async function sendContent(ctx: Context, content: Content): Promise<void> {
  ctx.set('ETag', content.etag);
  ctx.set('Accept-Ranges', 'bytes');
  if (matches(ctx.get('If-None-Match'), content.etag)) {
    ctx.status = 304;
    return;
  }
  const ifRange = ctx.get('If-Range');
  const header =
    ctx.method === 'GET' && (ifRange === '' || ifRange === content.etag) ? ctx.req.headers.range : undefined;
  const ranges = parseRange(header, content.size);
  if (ranges === 'unsatisfiable') {
    ctx.set('Content-Range', `bytes */${content.size}`);
    throw new RangeNotSatisfiable(content.size);
  }
  if (ranges && ranges.length > 1) return sendParts(ctx, content, ranges);
  const range = ranges?.[0];
  ctx.status = range ? 206 : 200;
  ctx.set('Content-Type', content.type);
  if (range) ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${content.size}`);
  const length = range ? range.end - range.start + 1 : content.size;
  ctx.set('Content-Length', String(length));
  await stream(ctx, length, () => content.read(range));
}

/**
 * Writes a body of `length` bytes (undefined: as long as it is) to a response whose headers are set; for HEAD only the
 * headers. A body that fails after its first byte is cut.
 */
export async function stream(
  ctx: Context,
  length: number | undefined,
  open: () => Promise<Buffer | AsyncIterable<Buffer>>,
): Promise<void> {
  const { res } = ctx;
  const body = ctx.method === 'HEAD' || length === 0 ? undefined : await open();
  ctx.respond = false;
  if (body === undefined || Buffer.isBuffer(body)) {
    res.end(body);
    return;
  }
  res.setTimeout(STALL_MS, () => res.destroy());
  try {
    let left = length ?? 0;
    for await (const chunk of body) {
      left -= chunk.length;
      if (length !== undefined && left < 0) throw new Error(`The content is longer than its ${length} bytes`);
      await write(res, chunk);
    }
    if (length !== undefined && left > 0) throw new Error(`The content ends ${left} bytes before its ${length} bytes`);
    res.end();
  } catch (error) {
    // Once the first byte went out the only honest signal is a cut connection.
    if (res.headersSent) res.destroy();
    else ctx.respond = true;
    if (!(error instanceof ClientGone)) throw error;
  }
}

/** Resolves when the kernel has the chunk, so the caller may reuse its memory. */
function write(res: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (res.destroyed) return reject(new ClientGone());
    const onClose = (): void => reject(new ClientGone());
    res.once('close', onClose);
    res.write(chunk, (error) => {
      res.off('close', onClose);
      if (error) reject(new ClientGone());
      else resolve();
    });
  });
}

class ClientGone extends Error {}

async function sendParts(ctx: Context, content: Content, ranges: Range[]): Promise<void> {
  const boundary = randomBytes(16).toString('hex');
  const heads = ranges.map((range, i) =>
    Buffer.from(
      `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${content.type}\r\n` +
        `Content-Range: bytes ${range.start}-${range.end}/${content.size}\r\n\r\n`,
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length = ranges.reduce((sum, r, i) => sum + (heads[i] as Buffer).length + r.end - r.start + 1, tail.length);
  ctx.status = 206;
  ctx.set('Content-Type', `multipart/byteranges; boundary=${boundary}`);
  ctx.set('Content-Length', String(length));
  async function* parts(): AsyncGenerator<Buffer> {
    for (const [i, range] of ranges.entries()) {
      yield heads[i] as Buffer;
      const bytes = await content.read(range);
      if (Buffer.isBuffer(bytes)) yield bytes;
      else yield* bytes;
    }
    yield tail;
  }
  await stream(ctx, length, async () => parts());
}

/** `If-None-Match` against one strong tag (RFC 9110 section 13.1.2). */
export function matches(header: string, etag: string): boolean {
  if (header === '') return false;
  return header.split(',').some((tag) => {
    const t = tag.trim();
    return t === '*' || t === etag || t === `W/${etag}`;
  });
}
