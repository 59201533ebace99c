/** Request bodies: asked for only when wanted, bounded in size, and never slower than a floor. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';

export interface BodyPace {
  /** Seconds without a byte after which the body is given up. */
  readonly idleSeconds: number;
  /** Bytes per second that must arrive, averaged over a minute. */
  readonly minRate: number;
}

/** The client stopped sending, went away, or sends slower than the floor. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
}

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
  readonly limit: number;
  constructor(limit: number) {
    super(`The body is larger than ${limit} bytes`);
    this.limit = limit;
  }
}

/** `Content-Length`, or undefined for a chunked body. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** Whether a body follows at all. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (declaredLength(request) ?? 0) > 0;
}

/**
 * The body, chunk by chunk. Answers `Expect: 100-continue` first, so a client that asks is only told to send after it was
 * authorised. Ends with BodyAborted when the client goes away, idles, or is slower than the floor: that replaces Node's
 * five-minute limit on whole requests, which cuts honest uploads of large layers.
 */
export async function* readBody(ctx: Context, pace: BodyPace): AsyncGenerator<Buffer> {
  const request = ctx.req;
  if (request.headers.expect?.toLowerCase() === '100-continue') ctx.res.writeContinue();
  const watch = watchPace(pace, (reason) => request.destroy(new BodyAborted(reason)));
  try {
    // Leaving early must not destroy the connection: the refusal still has to reach the client.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      watch.came((chunk as Buffer).length);
      ctx.state['bytesIn'] = watch.total();
      yield chunk as Buffer;
      watch.waiting();
    }
    if (!request.complete) throw new BodyAborted('The client went away in mid-body');
  } catch (error) {
    if (error instanceof BodyAborted) throw error;
    if (isAbort(error)) throw new BodyAborted('The client went away in mid-body', { cause: error });
    throw error;
  } finally {
    watch.end();
  }
}

/** Measures the client alone: time that the consumer spends on a chunk is not the client's fault. */
function watchPace(pace: BodyPace, giveUp: (reason: string) => void) {
  let total = 0;
  let waitingSince: number | undefined = performance.now();
  let waited = 0;
  let windowStart = 0;
  const step = Math.max(1, Math.min(5, pace.idleSeconds));
  const timer = setInterval(() => {
    const idle = waitingSince === undefined ? 0 : performance.now() - waitingSince;
    if (idle >= pace.idleSeconds * 1000) return giveUp(`No byte of the body came for ${pace.idleSeconds} s`);
    const seconds = (waited + idle) / 1000;
    if (seconds < 60) return;
    if (total - windowStart < pace.minRate * seconds) {
      return giveUp(`The body came slower than ${pace.minRate} bytes per second`);
    }
    windowStart = total;
    waited = -idle;
  }, step * 1000);
  return {
    total: () => total,
    came(bytes: number): void {
      total += bytes;
      if (waitingSince !== undefined) waited += performance.now() - waitingSince;
      waitingSince = undefined;
    },
    waiting(): void {
      waitingSince = performance.now();
    },
    end: () => clearInterval(timer),
  };
}

function isAbort(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}

/** The whole body, in memory. @throws {BodyTooLarge} as soon as it is known, before reading when it was declared */
export async function readAll(ctx: Context, limit: number, pace: BodyPace): Promise<Buffer> {
  if ((declaredLength(ctx.req) ?? 0) > limit) throw new BodyTooLarge(limit);
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of readBody(ctx, pace)) {
    total += chunk.length;
    if (total > limit) throw new BodyTooLarge(limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total);
}
