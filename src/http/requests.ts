/** The outermost middleware: an id for each request, one log line when it is over, and answers for what went wrong. */
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import { clientAddress, type ClientAddress } from './client-address.ts';
import { drainAfterAnswer } from './drain.ts';
import { STALL_MS } from './send.ts';

export interface RequestLine {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly route: string | undefined;
  readonly principal: string | undefined;
  readonly status: number;
  /** Of the request's body, as far as it was read. */
  readonly bytesIn: number;
  /** Of the answer, headers included. */
  readonly bytesOut: number;
  readonly ms: number;
  /** Of the client, as far as trusted proxies know it. */
  readonly address: string;
}

/** Of path and query; a token for a hundred scopes asks for less. */
const LONGEST_URL = 8 * 1024;

/** Clients may name their requests; anything unusual is replaced, so that it cannot forge log lines. */
const ID = /^[A-Za-z0-9._-]{8,64}$/;

/** @param write called once per request, when its connection has no more to do with it */
export function requests(write: (line: RequestLine) => void, addressOf: ClientAddress = clientAddress([])): Middleware {
  return async (ctx, next) => {
    const start = performance.now();
    const named = ctx.get('X-Request-Id');
    const id = ID.test(named) ? named : randomUUID();
    ctx.state['requestId'] = id;
    const address = addressOf(ctx.req);
    ctx.state['address'] = address;
    ctx.set('X-Request-Id', id);
    ctx.set('X-Content-Type-Options', 'nosniff');
    drainAfterAnswer(ctx.req, ctx.res);
    const { socket } = ctx;
    const writtenBefore = socket.bytesWritten;
    ctx.res.once('close', () => {
      write({
        id,
        method: ctx.method,
        path: ctx.path,
        route: ctx.state['route'] as string | undefined,
        principal: (ctx.state['principal'] as { name: string } | undefined)?.name,
        // A client that went away before the answer was complete: as proxies call it.
        status: ctx.res.writableFinished ? ctx.res.statusCode : 499,
        bytesIn: (ctx.state['bytesIn'] as number | undefined) ?? 0,
        bytesOut: socket.bytesWritten - writtenBefore,
        ms: Math.round((performance.now() - start) * 10) / 10,
        address,
      });
    });
    if (ctx.url.length > LONGEST_URL) {
      ctx.status = 414;
      ctx.body = `A URL has at most ${LONGEST_URL} characters here.\n`;
      return;
    }
    await next();
    // Bodies that Koa sends from here on; whoever streams one itself sets the same limit.
    ctx.res.setTimeout(STALL_MS, () => ctx.res.destroy());
  };
}
