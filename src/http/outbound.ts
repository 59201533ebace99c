/**
 * The one way out: every request that the hub makes on somebody's behalf goes through here. Each name is resolved once, every
 * address that it resolves to is judged, and the connection is made to the very addresses that were judged, so a name that
 * answers otherwise a moment later changes nothing. Nothing comes from the environment: no proxy, no credentials.
 *
 * It is built on node:http with a `lookup` of its own rather than on fetch, since fetch's dispatcher can only be replaced with a
 * package that the hub does not need otherwise.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { networkOf } from './addresses.ts';

// Not by import, for the reason that server.ts gives. node:https, and TLS with it, is loaded by the first request that needs it.
const http = process.getBuiltinModule('node:http');

/** What an administrator has allowed for one target; a target that anybody else names gets `{}`. */
export interface OutboundTrust {
  /** Unencrypted, too. */
  readonly http?: boolean;
  /** Addresses of this machine and of the hub's own networks, and ports below 1024 other than 80 and 443. */
  readonly privateAddresses?: boolean;
  /** Certificates (PEM) to believe in place of the system's. */
  readonly ca?: string;
}

export interface OutboundRequest {
  /** GET when absent. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly trust?: OutboundTrust;
  /** Of the answer's body; 1 MiB when absent. */
  readonly maxBytes?: number;
  /** For everything, redirects and body included; 10 when absent. */
  readonly seconds?: number;
  /** How many to follow, of GET and HEAD alone; none when absent. Each target is checked like the first. */
  readonly redirects?: number;
  readonly signal?: AbortSignal;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headersDistinct'];
  /** Where it came from in the end. */
  readonly url: string;
  /** Ends with OutboundError when it is too large or too slow. Leave the loop to let go of the connection. */
  readonly body: AsyncIterable<Buffer>;
  /** The whole body. @throws {OutboundError} */
  read(): Promise<Buffer>;
  /** Lets go of the connection without reading. */
  close(): void;
}

/** `refused`: not asked at all. `failed`: asked, and no good answer came. The message is for whoever registered the target. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly reason: 'refused' | 'failed';
  constructor(reason: 'refused' | 'failed', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface Outbound {
  /** @throws {OutboundError} */
  send(url: string, request?: OutboundRequest): Promise<OutboundAnswer>;
}

const DEFAULT_BYTES = 2 ** 20;
const DEFAULT_SECONDS = 10;
const NO_SUCH_NAME = 'Its name does not resolve.';
const NO_NAME_NOW = 'Its name could not be resolved just now.';
/** Messages that tell which names there are: not for people who may not know about the hub's own network. */
export const UNRESOLVED: ReadonlySet<string> = new Set([NO_SUCH_NAME, NO_NAME_NOW]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Ports of services that read lines and would take a request for commands (a part of what browsers refuse). */
const NOT_HTTP = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080, 11211,
]);
const FORBIDDEN_HEADERS = /^(?:host|connection|proxy-.*|transfer-encoding|upgrade|te|trailer|expect)$/i;

/** @param resolve only tests replace it */
export function createOutbound(resolve: Resolve = (hostname) => systemLookup(hostname, { all: true })): Outbound {
  async function hop(url: URL, request: OutboundRequest, trust: OutboundTrust, stop: AbortSignal) {
    checkUrl(url, trust);
    const host = url.hostname.replaceAll(/[[\]]/g, '');
    const addresses = await within(stop, isIP(host) === 0 ? resolve(host) : [{ address: host, family: isIP(host) }]);
    if (addresses.length === 0) throw new OutboundError('failed', NO_SUCH_NAME);
    for (const { address } of addresses) checkAddress(address, trust);
    return exchange(url, request, trust, addresses, stop);
  }

  return {
    async send(text, request = {}) {
      const seconds = request.seconds ?? DEFAULT_SECONDS;
      const clock = AbortSignal.timeout(seconds * 1000);
      const stop = request.signal ? AbortSignal.any([clock, request.signal]) : clock;
      const maxBytes = request.maxBytes ?? DEFAULT_BYTES;
      let url = parse(text);
      let sent = request;
      let trust = request.trust ?? {};
      try {
        for (let left = followable(request); ; left--) {
          const answer = await hop(url, sent, trust, stop);
          const location = answer.headers.location;
          if (left <= 0 || location === undefined || !REDIRECTS.has(answer.statusCode ?? 0)) {
            return toAnswer(answer, url, { maxBytes, seconds, stop });
          }
          answer.destroy();
          const next = parse(location, url);
          if (next.origin !== url.origin) {
            // What was allowed was allowed for the target, and its headers may hold credentials for it.
            trust = {};
            sent = { ...request, headers: {} };
          }
          url = next;
        }
      } catch (error) {
        throw failure(error, seconds, stop);
      }
    },
  };
}

/**
 * Whether a target would be asked as far as its URL alone says, without resolving its name: for when it is registered. What it
 * resolves to is judged each time that it is asked.
 */
export function isAskable(text: string, trust: OutboundTrust = {}): boolean {
  try {
    const url = parse(text);
    checkUrl(url, trust);
    const host = url.hostname.replaceAll(/[[\]]/g, '');
    if (isIP(host) !== 0) checkAddress(host, trust);
    // RFC 6761, section 6.3: this machine, whatever a resolver says.
    return trust.privateAddresses === true || !/(?:^|\.)localhost\.?$/.test(host);
  } catch {
    return false;
  }
}

function followable({ method = 'GET', redirects = 0 }: OutboundRequest): number {
  return method === 'GET' || method === 'HEAD' ? Math.min(redirects, 5) : 0;
}

function parse(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new OutboundError('refused', 'It is not a URL.');
  return url;
}

/** @throws {OutboundError} */
function checkUrl(url: URL, trust: OutboundTrust): void {
  const refuse = (why: string): never => {
    throw new OutboundError('refused', why);
  };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && trust.http === true)) {
    refuse('Only https is asked, and http where an administrator has allowed it.');
  }
  if (url.username !== '' || url.password !== '') refuse('A URL with credentials in it is not asked.');
  const port = url.port === '' ? 0 : Number(url.port);
  if (
    trust.privateAddresses !== true &&
    port !== 0 &&
    port !== 80 &&
    port !== 443 &&
    (port < 1024 || NOT_HTTP.has(port))
  ) {
    refuse(`Port ${port} is not one of a web server.`);
  }
}

/** @throws {OutboundError} */
function checkAddress(address: string, trust: OutboundTrust): void {
  const network = networkOf(address);
  if (network === 'public' || (network === 'private' && trust.privateAddresses === true)) return;
  throw new OutboundError(
    'refused',
    network === 'private'
      ? 'It is at a private address, which an administrator has to allow.'
      : 'It is at an address that nothing is asked at.',
  );
}

function exchange(
  url: URL,
  { method = 'GET', headers = {}, body }: OutboundRequest,
  trust: OutboundTrust,
  addresses: Awaited<ReturnType<Resolve>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const bad = Object.keys(headers).find((name) => FORBIDDEN_HEADERS.test(name));
  if (bad !== undefined) throw new OutboundError('refused', `The header ${bad} is not for callers to set.`);
  const pinned: LookupFunction = (_, options, done) => {
    const [first] = addresses;
    if (options.all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
  const secure = url.protocol === 'https:';
  const tls = {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(trust.ca !== undefined && { ca: trust.ca }),
  } as const;
  // An agent of its own: the global one may have been given a proxy by the environment.
  const https = secure ? process.getBuiltinModule('node:https') : undefined;
  const agent = https ? new https.Agent({ keepAlive: false, ...tls }) : new http.Agent({ keepAlive: false });
  const options = {
    method,
    headers: { 'User-Agent': 'berth', 'Accept-Encoding': 'identity', ...headers },
    agent,
    lookup: pinned,
    signal,
    ...(secure && tls),
  };
  return new Promise((resolve, reject) => {
    const sent = (https ?? http).request(url, options);
    sent.once('response', resolve).once('error', reject);
    sent.end(body);
  });
}

interface Bounds {
  readonly maxBytes: number;
  readonly seconds: number;
  readonly stop: AbortSignal;
}

function toAnswer(answer: IncomingMessage, url: URL, { maxBytes, seconds, stop }: Bounds): OutboundAnswer {
  // Whoever never reads must not bring the process down with an error that nobody listens to.
  answer.on('error', () => {});
  async function* bounded(): AsyncGenerator<Buffer> {
    let size = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBytes) throw new OutboundError('failed', `Its answer is larger than ${maxBytes} bytes.`);
        yield chunk;
      }
    } catch (error) {
      throw failure(error, seconds, stop);
    } finally {
      answer.destroy();
    }
  }
  const body = bounded();
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headersDistinct,
    url: url.href,
    body,
    async read() {
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    close: () => void answer.destroy(),
  };
}

/** The system's resolver cannot be stopped, only left alone. */
async function within<T>(stop: AbortSignal, work: Promise<T> | T): Promise<T> {
  stop.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const give = (): void => reject(stop.reason as Error);
  stop.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop.removeEventListener('abort', give);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ECONNRESET: 'It closed the connection.',
  ENOTFOUND: NO_SUCH_NAME,
  EAI_AGAIN: NO_NAME_NOW,
  EHOSTUNREACH: 'There is no route to it.',
  ENETUNREACH: 'There is no route to it.',
  ETIMEDOUT: 'It does not answer.',
};

function failure(error: unknown, seconds: number, stop: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error;
  const { code = '' } = error as { code?: string };
  const timedOut = (stop.reason as Error | undefined)?.name === 'TimeoutError';
  const message = timedOut
    ? `It took longer than ${seconds} s.`
    : (REASONS[code] ??
      (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|^ERR_TLS|^ERR_SSL|^EPROTO/.test(code)
        ? `Its certificate or its TLS is not to be trusted (${code}).`
        : `It could not be asked${code === '' ? '' : ` (${code})`}.`));
  return new OutboundError('failed', message, error);
}
