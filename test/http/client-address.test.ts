import { describe, expect, test } from 'vitest';
import type { IncomingMessage } from 'node:http';
import { clientAddress, isAddressRange } from '../../src/http/client-address.ts';

const PROXIES = ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'];
const of = (trusted: string[], socket: string | undefined, headers: Record<string, string> = {}) =>
  clientAddress(trusted)({ socket: { remoteAddress: socket }, headers } as unknown as IncomingMessage);
const via = (socket: string, list: string) => of(PROXIES, socket, { 'x-forwarded-for': list });
const rfc = (socket: string, value: string) => of(PROXIES, socket, { forwarded: value });

test('without trusted proxies headers say nothing', () => {
  const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1', 'x-real-ip': '198.51.100.1' };
  for (const socket of ['203.0.113.9', '127.0.0.1', '::1']) expect(of([], socket, headers)).toBe(socket);
  expect(of([], '::ffff:203.0.113.9')).toBe('203.0.113.9');
  expect(of(PROXIES, undefined, headers)).toBe('');
});

test('from anyone but a trusted proxy they say nothing either', () => {
  expect(via('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
  expect(rfc('203.0.113.9', 'for=198.51.100.1')).toBe('203.0.113.9');
});

describe('X-Forwarded-For', () => {
  test.each([
    ['198.51.100.1', '198.51.100.1'],
    ['1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['1.1.1.1,2.2.2.2,198.51.100.1, 10.2.3.4', '198.51.100.1'],
    ['198.51.100.1, 192.0.2.7, 10.0.0.1', '198.51.100.1'],
    ['10.9.9.9, 10.0.0.1', '10.9.9.9'],
    ['198.51.100.1:4711', '198.51.100.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['198.51.100.1, fd00::2', '198.51.100.1'],
    ['rubbish', '10.0.0.1'],
    ['198.51.100.1, rubbish', '10.0.0.1'],
    ['198.51.100.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['', '10.0.0.1'],
    [',', '10.0.0.1'],
    ['fe80::1%eth0', '10.0.0.1'],
    ["127.0.0.1'; drop table", '10.0.0.1'],
  ])('%j through a proxy is %s', (list, expected) => {
    expect(via('10.0.0.1', list)).toBe(expected);
    expect(via('::ffff:10.0.0.1', list)).toBe(expected);
  });

  test('of any length is read in no time', () => {
    const list = Array.from({ length: 3_000 }, () => '10.0.0.1').join(',');
    expect(via('10.0.0.1', `198.51.100.1,${list}`)).toBe('10.0.0.1');
  });
});

describe('Forwarded', () => {
  test.each([
    ['for=198.51.100.1', '198.51.100.1'],
    ['For="[2001:db8::1]:4711"', '2001:db8::1'],
    ['for=1.1.1.1, for=198.51.100.1;proto=https;by=10.0.0.1', '198.51.100.1'],
    ['proto=http;for=198.51.100.1, for=10.0.0.9', '198.51.100.1'],
    ['for=_hidden', '10.0.0.1'],
    ['for=unknown, for=10.0.0.2', '10.0.0.2'],
    ['proto=https', '10.0.0.1'],
  ])('%j through a proxy is %s', (value, expected) => {
    expect(rfc('10.0.0.1', value)).toBe(expected);
  });
});

test('both headers are believed when they agree, and neither when they do not', () => {
  const both = (list: string, forwarded: string) => of(PROXIES, '10.0.0.1', { 'x-forwarded-for': list, forwarded });
  expect(both('198.51.100.1', 'for=198.51.100.1')).toBe('198.51.100.1');
  expect(both('6.6.6.6', 'for=198.51.100.1')).toBe('10.0.0.1');
  expect(both('198.51.100.1', 'for=6.6.6.6')).toBe('10.0.0.1');
});

test.each([
  ['10.0.0.1', true],
  ['10.0.0.0/8', true],
  ['::1', true],
  ['fd00::/8', true],
  ['0.0.0.0/0', true],
  ['10.0.0.0/33', false],
  ['::/129', false],
  ['10.0.0', false],
  ['proxy.example.com', false],
  ['', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.0/-1', false],
  ['fe80::1%eth0', false],
])('%j as a proxy: %s', (text, expected) => {
  expect(isAddressRange(text)).toBe(expected);
});
