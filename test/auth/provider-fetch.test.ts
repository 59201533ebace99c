import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { providerFetch } from '../../src/auth/provider-fetch.ts';
import type { OidcProvider } from '../../src/auth/providers.ts';
import { createOutbound } from '../../src/http/outbound.ts';

let hits = 0;
let handle: RequestListener = (_, response) => void response.end('{}');
const server = createServer((request, response) => {
  hits++;
  handle(request, response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const here = `http://127.0.0.1:${port}`;
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const ask = (url: string, settings: { issuer?: string; privateAddresses?: boolean } = {}, body?: URLSearchParams) =>
  providerFetch(createOutbound())({
    settings: { issuer: here, privateAddresses: true, ...settings },
  } as OidcProvider)(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json' },
    body,
    redirect: 'manual',
  });

test('a provider in the own network is asked when that is wanted, and not otherwise', async () => {
  hits = 0;
  const answer = await ask(`http://localhost:${port}/`);
  expect([answer.status, await answer.text(), hits]).toEqual([200, '{}', 1]);
  await expect(ask(`http://localhost:${port}/`, { privateAddresses: false })).rejects.toThrow('private address');
  await expect(ask('http://169.254.169.254/latest/meta-data/')).rejects.toThrow('nothing is asked');
  expect(hits).toBe(1);
});

test('nothing is asked in the clear for an issuer that is not', async () => {
  hits = 0;
  await expect(ask(here, { issuer: 'https://id.example.com' })).rejects.toThrow('Only https');
  expect(hits).toBe(0);
});

test('forms are sent as they are, and repeated headers come back', async () => {
  handle = (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => response.setHeader('X-Two', ['a', 'b']).end(text));
  };
  const answer = await ask(here, {}, new URLSearchParams({ code: 'a b&c' }));
  expect(await answer.text()).toBe('code=a+b%26c');
  expect(answer.headers.get('x-two')).toBe('a, b');
});

test('redirects are not followed', async () => {
  hits = 0;
  handle = (_, response) => void response.writeHead(302, { Location: `${here}/else` }).end();
  expect((await ask(here)).status).toBe(302);
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
  await expect(ask(here)).rejects.toThrow('larger than');
});
