/**
 * Refusals are answered, not cut. A client that is still sending when the answer is ready would see a reset instead of
 * the reason if the connection were closed at once; so what it sends is read and dropped for a while. After that it is not
 * closed either, but left unread until the client has had time to look: a client that finds the connection gone while it
 * writes (Go's, which podman and docker are made of) does not read the answer that is there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MS = 5_000;
const POLL_MS = 50;

/** Call once per request, early. */
export function drainAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  // Before Node looks at the answer that is done: where the client has asked for `Connection: close`, as podman does, it closes
  // at once, and what was not read makes that a reset.
  response.once('prefinish', () => {
    if (request.complete || request.destroyed) return;
    const { socket } = request;
    const { destroySoon } = socket;
    let closing = false;
    socket.destroySoon = () => {
      closing = true;
    };
    const start = socket.bytesRead;
    const deadline = performance.now() + MAX_MS;
    request.resume();
    const timer = setInterval(() => {
      const done = request.complete || socket.destroyed;
      const over = performance.now() > deadline;
      if (done || over) {
        clearInterval(timer);
        socket.destroySoon = destroySoon;
        if (closing) socket.destroySoon();
      }
      if (over && !done) socket.destroy();
      else if (socket.bytesRead - start > MAX_BYTES) request.pause();
    }, POLL_MS);
    timer.unref();
  });
}
