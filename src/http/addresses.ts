/** Which network an IP address belongs to, after the IANA special-purpose registries. */
import { BlockList, isIP } from 'node:net';

/**
 * `public`: anyone's. `private`: this machine, its own network, or a way around to them (translated addresses). `never`: nobody's
 * to ask, such as multicast and link-local, where clouds keep their metadata.
 */
export type Network = 'public' | 'private' | 'never';

const NEVER_4 = blockList('ipv4', [
  '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4',
  '240.0.0.0/4 100.100.100.200/32 168.63.129.16/32',
]);
const PRIVATE_4 = blockList('ipv4', [
  '10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15',
]);
/** Lists of their own: in one list with IPv4, ::ffff:0:0/96 would hold every IPv4 address. */
const NEVER_6 = blockList('ipv6', [
  '::/128 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 3fff::/20 5f00::/16 fe80::/10 fec0::/10 ff00::/8',
  'fd00:ec2::254/128',
]);
const PRIVATE_6 = blockList('ipv6', ['::1/128 fc00::/7']);
const GLOBAL_6 = blockList('ipv6', ['2000::/3']);

function blockList(family: 'ipv4' | 'ipv6', lines: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of lines.flatMap((line) => line.split(' '))) {
    const [address, prefix] = range.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** @param address as a resolver gives it; what is no address is `never` */
export function networkOf(address: string): Network {
  switch (isIP(address)) {
    case 4:
      if (NEVER_4.check(address, 'ipv4')) return 'never';
      return PRIVATE_4.check(address, 'ipv4') ? 'private' : 'public';
    case 6:
      return networkOf6(address);
    default:
      return 'never';
  }
}

function networkOf6(address: string): Network {
  // A zone names an interface of this machine.
  if (address.includes('%')) return 'never';
  if (NEVER_6.check(address, 'ipv6')) return 'never';
  if (PRIVATE_6.check(address, 'ipv6')) return 'private';
  const inner = embedded(address);
  if (inner !== undefined) return networkOf(inner) === 'never' ? 'never' : 'private';
  return GLOBAL_6.check(address, 'ipv6') ? 'public' : 'never';
}

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function embedded(address: string): string | undefined {
  const words = wordsOf(address);
  const zeros = (from: number, to: number): boolean => words.slice(from, to).every((word) => word === 0);
  const dotted = (at: number): string => {
    const [high, low] = [words[at] ?? 0, words[at + 1] ?? 0];
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  };
  if (zeros(0, 5) && (words[5] === 0 || words[5] === 0xffff)) return dotted(6);
  if (zeros(0, 4) && words[4] === 0xffff && words[5] === 0) return dotted(6);
  if (words[0] === 0x64 && words[1] === 0xff9b && zeros(2, 6)) return dotted(6);
  if (words[0] === 0x2002) return dotted(1);
  return undefined;
}

/** Eight 16-bit words. */
function wordsOf(address: string): number[] {
  // URL writes every spelling the same way: hexadecimal, with one `::` at most.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: middle }, () => '0'), ...right].map((word) => Number.parseInt(word, 16));
}
