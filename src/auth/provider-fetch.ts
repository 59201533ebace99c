/**
 * The way out to OIDC providers. An administrator has registered them, and says whether they are at private addresses; for all
 * others each address that a name resolves to is looked at before the connection is made, and the connection is made to the
 * very address that was looked at. No redirects, no proxies of the environment, bounded in time and size.
 */
import { lookup } from 'node:dns';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { ProviderFetch } from './oidc.ts';
import type { OidcProvider } from './providers.ts';

const TIMEOUT_MS = 10_000;
const LARGEST = 2 ** 20;

/** Addresses of the hub's own network, of this machine, of clouds' metadata, and of nobody (IANA special-purpose registries). */
const NOT_PUBLIC_4 = blockList('ipv4', [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
]);
/** A list of its own: in one list with IPv4, ::ffff:0:0/96 would hold every IPv4 address. */
const NOT_PUBLIC_6 = blockList('ipv6', [
  '::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16',
  'fc00::/7 fe80::/10 fec0::/10 ff00::/8',
]);

function blockList(family: 'ipv4' | 'ipv6', lines: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of lines.flatMap((line) => line.split(' '))) {
    const [address, prefix] = range.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC_4.check(address, 'ipv4');
    case 6:
      return !NOT_PUBLIC_6.check(address, 'ipv6');
    default:
      return false;
  }
}

export const providerFetch: ProviderFetch =
  (provider) =>
  async (text, { method, headers, body, signal }) => {
    const url = new URL(text);
    const secure = url.protocol === 'https:';
    if (!secure && url.protocol !== 'http:') throw new Error(`${url.protocol} is not asked`);
    const host = url.hostname.replaceAll(/[[\]]/g, '');
    if (isIP(host) !== 0) refusePrivate(provider, host);
    const stop = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]);
    const options: RequestOptions = {
      method,
      headers,
      signal: stop,
      agent: false,
      lookup: lookupFor(provider),
      ...(provider.settings.ca !== undefined && { ca: provider.settings.ca }),
    };
    const sent = (secure ? requestHttps : requestHttp)(url, options);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject).end(bytesOf(body));
    });
    return new Response(await read(answer), { status: answer.statusCode ?? 502, headers: headersOf(answer) });
  };

/** Resolves as the system does, and refuses the name when any of its addresses is not for this provider. */
function lookupFor(provider: OidcProvider): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        done(error, []);
        return;
      }
      try {
        for (const { address } of addresses) refusePrivate(provider, address);
      } catch (refusal) {
        done(refusal as Error, []);
        return;
      }
      const [first] = addresses;
      if (options.all || first === undefined) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

function refusePrivate({ settings }: OidcProvider, address: string): void {
  if (settings.privateAddresses || isPublicAddress(address)) return;
  throw new Error('it is at an address that is not public, which its settings do not allow');
}

/** What openid-client sends: forms. */
function bytesOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body of another kind than openid-client sends');
}

async function read(answer: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST) throw new Error('its answer is larger than 1 MiB');
    chunks.push(chunk);
  }
  return size === 0 ? null : Buffer.concat(chunks, size);
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct))
    for (const value of values) headers.append(name, value);
  return headers;
}
