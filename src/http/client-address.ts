/**
 * Whom a request is from. Behind proxies that the operator names, the address that they saw; from everyone else the socket's,
 * whatever headers say, so that nobody chooses an address for the log, for slowing down guesses, or for the audit trail.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Context } from 'koa';

/** The address of the client, or '' when the connection is gone already. */
export type ClientAddress = (request: IncomingMessage) => string;

/** Addresses in one header; more are not looked at. */
const LONGEST_CHAIN = 50;

/** @param trusted addresses of proxies, single ones or in CIDR notation; none is the safe default */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  const proxies = new BlockList();
  for (const entry of trusted) add(proxies, entry);
  const isProxy = (address: string): boolean => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  /** From the right, where our own proxies write, to the first address that is not one of them. */
  function follow(socket: string, chain: readonly (string | undefined)[]): string {
    let address = socket;
    for (const hop of chain.toReversed().slice(0, LONGEST_CHAIN)) {
      if (hop === undefined || !isProxy(address)) return address;
      address = hop;
    }
    return address;
  }

  return (request) => {
    const socket = plain(request.socket.remoteAddress ?? '');
    if (trusted.length === 0 || socket === '' || !isProxy(socket)) return socket;
    const { 'x-forwarded-for': list, forwarded } = request.headers;
    const said = [
      list === undefined ? undefined : follow(socket, String(list).split(',').map(addressIn)),
      forwarded === undefined ? undefined : follow(socket, forwarded.split(',').map(forwardedFor)),
    ].filter((address) => address !== undefined);
    // A proxy writes one of the two and passes on the other as the client sent it. When they differ, neither is believed.
    const [first, second = first] = said;
    return first === undefined || first !== second ? socket : first;
  };
}

/** What the outermost middleware found out; without it, as in tests of one door, the socket's. */
export function addressOf(ctx: Context): string {
  return (ctx.state['address'] as string | undefined) ?? plain(ctx.req.socket.remoteAddress ?? '');
}

/** Whether it can be named as a proxy: an address, or one with the length of a prefix. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function add(proxies: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (prefix === undefined) proxies.addAddress(plain(address), isIP(plain(address)) === 6 ? 'ipv6' : 'ipv4');
  else proxies.addSubnet(address, Number(prefix), family);
}

/** Sockets that listen on both families write IPv4 as ::ffff:192.0.2.1. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address.toLowerCase();
}

/** `192.0.2.1`, `192.0.2.1:5678`, `2001:db8::1`, `[2001:db8::1]:5678`. Undefined for anything else. */
function addressIn(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 60) return undefined;
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(trimmed)?.[1] ?? trimmed;
  return isIP(bare) === 0 || bare.includes('%') ? undefined : plain(bare);
}

/** The parameter `for` of one element (RFC 7239 section 4). */
function forwardedFor(element: string): string | undefined {
  const pair = element
    .split(';')
    .map((part) => part.trim())
    .find((part) => /^for=/i.test(part));
  return pair === undefined ? undefined : addressIn(pair.slice(4).replace(/^"(.*)"$/, '$1'));
}
