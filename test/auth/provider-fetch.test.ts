import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { isPublicAddress, providerFetch } from '../../src/auth/provider-fetch.ts';
import type { OidcProvider } from '../../src/auth/providers.ts';

let hits = 0;
let handle: RequestListener = (_, response) => void response.end('{}');
const server = createServer((request, response) => {
  hits++;
  handle(request, response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const ask = (url: string, privateAddresses: boolean) =>
  providerFetch({ settings: { privateAddresses } } as OidcProvider)(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    body: undefined,
    redirect: 'manual',
  });

test.each([
  `http://127.0.0.1:${port}/`,
  `http://localhost:${port}/`,
  `http://localhost.:${port}/`,
  `http://127.1:${port}/`,
  `http://2130706433:${port}/`,
  `http://0x7f.0.0.1:${port}/`,
  `http://0177.0.0.1:${port}/`,
  `http://[::1]:${port}/`,
  `http://[::ffff:127.0.0.1]:${port}/`,
  `http://[::ffff:7f00:1]:${port}/`,
  `http://[::127.0.0.1]:${port}/`,
  `http://[64:ff9b::7f00:1]:${port}/`,
  `http://0.0.0.0:${port}/`,
  `http://0:${port}/`,
  `http://①②⑦.0.0.1:${port}/`,
  'http://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  'ftp://127.0.0.1/',
])('%s is not asked unless private addresses are allowed', async (url) => {
  hits = 0;
  await expect(ask(url, false)).rejects.toThrow(/not public|is not asked|ENOTFOUND/);
  expect(hits).toBe(0);
});

test('a provider in the own network is, when that is wanted', async () => {
  hits = 0;
  const answer = await ask(`http://localhost:${port}/`, true);
  expect([answer.status, await answer.text(), hits]).toEqual([200, '{}', 1]);
});

test('redirects are not followed', async () => {
  hits = 0;
  handle = (_, response) => void response.writeHead(302, { Location: `http://127.0.0.1:${port}/else` }).end();
  expect((await ask(`http://127.0.0.1:${port}/`, true)).status).toBe(302);
  expect(hits).toBe(1);
});

test('an endless answer is not read to its end', async () => {
  handle = (_, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  };
  await expect(ask(`http://127.0.0.1:${port}/`, true)).rejects.toThrow('1 MiB');
});

test.each([
  ['8.8.8.8', true],
  ['2606:4700::1111', true],
  ['10.1.2.3', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.0.1', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['fd00::1', false],
  ['fe80::1', false],
  ['::', false],
  ['::ffff:10.0.0.1', false],
  ['2002:7f00:1::', false],
  ['ff02::1', false],
  ['rubbish', false],
])('%s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});
