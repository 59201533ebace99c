/** How an HTTP server listens, and how it ends without cutting anyone off. */
import { once } from 'node:events';
import type { Server } from 'node:http';

export interface Listening {
  /** Stops taking connections, waits for the requests under way, and cuts what is left after `seconds`. */
  close(seconds: number): Promise<void>;
}

export async function listen(server: Server, at: { host: string; port: number }): Promise<Listening> {
  let draining = false;
  server.prependListener('request', (_request, response) => {
    if (draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      // Its connection is idle only after this turn.
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
  });
  // Each worker has a socket of its own and Linux deals connections out to them. Where the primary process deals them out
  // (Node's way elsewhere), a connection on its way to a worker that dies hangs until its client gives up.
  server.listen({ port: at.port, host: at.host, reusePort: process.platform === 'linux' });
  await once(server, 'listening');
  return {
    async close(seconds) {
      draining = true;
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), seconds * 1_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
