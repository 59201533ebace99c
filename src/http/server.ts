/** The HTTP server around a Koa app: timeouts that suit hour-long uploads, and `Expect: 100-continue` left to handlers. */
import type { Server } from 'node:http';
import type Koa from 'koa';

// Not by import, which reads every name that the module has, among them those that load the implementation of fetch: 5 MB.
const { createServer: createHttpServer } = process.getBuiltinModule('node:http');

/** Request line and headers; larger ones are 431. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * `requestTimeout` is off: Node's default of 300 s cuts any longer upload; bodies are paced by `readBody` instead.
 * Headers still have 60 s. Keep-alive outlives the 60 s that load balancers commonly allow.
 */
export function createServer(app: Koa): Server {
  const handle = app.callback();
  const server = createHttpServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: 0,
      headersTimeout: 60_000,
      keepAliveTimeout: 75_000,
      connectionsCheckingInterval: 10_000,
    },
    (request, response) => void handle(request, response),
  );
  server.on('checkContinue', (request, response) => {
    // Not continued means the body will not come as agreed, so the connection cannot be used again.
    const end = response.writeContinue.bind(response);
    let continued = false;
    response.writeContinue = (callback?: () => void) => {
      continued = true;
      end(callback);
    };
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => typeof response;
    response.writeHead = (...args: unknown[]) => {
      if (!continued) response.setHeader('Connection', 'close');
      return writeHead(...args);
    };
    server.emit('request', request, response);
  });
  return server;
}
