/**
 * Refusals are answered, not cut. A client that is still sending when the answer is ready would see a reset instead of
 * the reason if the connection were closed at once; so what it sends is read and dropped for a while.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MS = 5_000;
const POLL_MS = 100;

/** Call once per request, early. */
export function drainAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    const socket = request.socket;
    const start = socket.bytesRead;
    const deadline = performance.now() + MAX_MS;
    request.resume();
    const timer = setInterval(() => {
      const done = request.complete || socket.destroyed;
      const over = socket.bytesRead - start > MAX_BYTES || performance.now() > deadline;
      if (done || over) clearInterval(timer);
      if (over && !done) socket.destroy();
    }, POLL_MS);
    timer.unref();
  });
}
