/**
 * One HTTP exchange as a client that is not the server's own code sees it: nothing is normalised on the way out, nothing
 * is interpreted on the way in.
 */
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

export type Body = Buffer | string | (() => AsyncIterable<Buffer> | Iterable<Buffer>);

export interface Ask {
  readonly method?: string;
  /** Path and query exactly as they go over the wire. */
  readonly path: string;
  readonly headers?: Record<string, string | string[]>;
  /** A buffer is sent with Content-Length; a function is streamed with chunked transfer-encoding unless headers say the length. */
  readonly body?: Body;
  readonly signal?: AbortSignal;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value … as received: repeated headers stay apart. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Whether the server said 100 Continue. */
  readonly continued: boolean;
  /** A header, repeated ones joined with a comma. */
  header(name: string): string | undefined;
  /** Every occurrence of a header. */
  all(name: string): string[];
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it expects, as with a cast
  json<T = unknown>(): T;
}

const shared = new Agent({ keepAlive: true, maxSockets: 64 });

/** Closes what the client keeps open between requests. */
export function closeConnections(): void {
  shared.destroy();
}

/**
 * Sends one request and reads the whole answer, also when the server answers before it has read the body.
 * @throws when the connection ends without an answer, or in the middle of its body
 */
export function send(origin: string, ask: Ask): Promise<Answer> {
  const url = new URL(origin);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const req = request({
    host: url.hostname,
    port: url.port,
    method: ask.method ?? 'GET',
    path: ask.path,
    headers: withLength(ask),
    agent: ask.agent ?? shared,
    ...(ask.signal ? { signal: ask.signal } : {}),
  });
  let answered = false;
  let continued = false;
  req.on('response', (res) => {
    answered = true;
    const chunks: Buffer[] = [];
    res.on('data', (chunk: Buffer) => chunks.push(chunk));
    res.on('error', reject);
    res.on('end', () => {
      if (!res.complete) return reject(new Error('the answer was cut'));
      // A body that the server did not want any more must not keep the connection in the pool.
      if (!req.writableFinished) req.destroy();
      resolve(toAnswer(res.statusCode ?? 0, res.headers, res.rawHeaders, Buffer.concat(chunks), continued));
    });
  });
  req.on('continue', () => (continued = true));
  // Writing fails when the server has answered and closed; then the answer is what counts.
  req.on('error', (error) => {
    if (!answered) reject(error);
  });
  void feed(req, ask);
  return promise;
}

function withLength(ask: Ask): Record<string, string | string[]> {
  const headers = { ...ask.headers };
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (typeof ask.body === 'function' || names.has('content-length')) return headers;
  if (ask.body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(ask.body));
  else if (ask.method === 'POST' || ask.method === 'PUT' || ask.method === 'PATCH') headers['Content-Length'] = '0';
  return headers;
}

async function feed(req: ReturnType<typeof request>, { body, headers }: Ask): Promise<void> {
  const expects = Object.entries(headers ?? {}).some(([name, value]) => name.toLowerCase() === 'expect' && value);
  if (expects) {
    const go = Promise.withResolvers<boolean>();
    req.once('continue', () => go.resolve(true));
    req.once('response', () => go.resolve(false));
    req.once('close', () => go.resolve(false));
    req.flushHeaders();
    if (!(await go.promise)) return;
  }
  if (typeof body !== 'function') {
    req.end(body);
    return;
  }
  try {
    for await (const chunk of body()) {
      if (req.destroyed) return;
      if (!req.write(chunk)) await drained(req);
    }
    req.end();
  } catch (error) {
    req.destroy(error as Error);
  }
}

function drained(req: ReturnType<typeof request>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      req.off('drain', done);
      req.off('close', done);
      resolve();
    };
    req.on('drain', done);
    req.on('close', done);
    if (req.destroyed) done();
  });
}

function toAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  body: Buffer,
  continued: boolean,
): Answer {
  const all = (name: string) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase());
  return {
    status,
    headers,
    rawHeaders,
    body,
    continued,
    all,
    header: (name) => (all(name).length === 0 ? undefined : all(name).join(', ')),
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see above
    json<T>() {
      try {
        return JSON.parse(body.toString('utf8')) as T;
      } catch {
        throw new Error(`status ${status} brought no JSON: ${body.toString('utf8', 0, 200)}`);
      }
    },
  };
}

/** Writes bytes to a socket as they are and returns all that comes back until the server closes or `enough` is true. */
export function exchangeRaw(
  origin: string,
  bytes: string | Buffer,
  enough: (sofar: string) => boolean = () => false,
): Promise<string> {
  const url = new URL(origin);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(url.port), url.hostname);
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (enough(received)) socket.end();
  });
  socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)));
  socket.on('close', () => resolve(received));
  socket.on('connect', () => socket.write(bytes));
  return promise;
}
