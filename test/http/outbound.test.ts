import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { networkOf } from '../../src/http/addresses.ts';
import { createOutbound, OutboundError, type OutboundRequest, type Resolve } from '../../src/http/outbound.ts';
import { SPELLINGS, URLS } from './outbound-spellings.ts';

let hits: string[] = [];
let handle: RequestListener = (_, response) => void response.end('{}');
const server = createServer((request, response) => {
  hits.push(`${request.method} ${request.url}`);
  handle(request, response);
}).listen(0, '::');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
// Every connection counts, whether or not it says something.
let connections = 0;
server.on('connection', () => connections++);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

beforeEach(() => {
  hits = [];
  connections = 0;
  handle = (_, response) => void response.end('{}');
});

const outbound = createOutbound();
const own = `http://127.0.0.1:${port}`;
const trusted = { http: true, privateAddresses: true };
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as OutboundError,
  );

/** A resolver that answers this, then that; the last answer stays. */
function answering(...answers: string[][]): Resolve & { asked: number } {
  const resolve = async () => {
    const answer = answers[Math.min(resolve.asked++, answers.length - 1)] as string[];
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  resolve.asked = 0;
  return resolve;
}

describe('what anybody may name', () => {
  test(`is ${SPELLINGS.length + URLS.length} ways to reach the inside, all different`, () => {
    expect(SPELLINGS.length + URLS.length).toBeGreaterThanOrEqual(120);
    expect(new Set([...SPELLINGS, ...URLS]).size).toBe(SPELLINGS.length + URLS.length);
  });

  test.each(SPELLINGS)('%s is not asked', async (host) => {
    for (const trust of [{}, { http: true }]) {
      const error = await refusal(outbound.send(`${trust.http ? 'http' : 'https'}://${host}:${port}/`, { trust }));
      expect(error).toBeInstanceOf(OutboundError);
      expect(error?.reason === 'refused' || error?.message === 'Its name does not resolve.', error?.message).toBe(true);
    }
    expect(connections).toBe(0);
  });

  test.each(URLS)('%j is not asked', async (url) => {
    const error = await refusal(outbound.send(url.replaceAll('PORT', String(port))));
    expect(error).toMatchObject({ reason: 'refused' });
    expect(connections).toBe(0);
  });

  test.each([
    ['one private address', [['127.0.0.1']]],
    ['a public and a private one', [['8.8.8.8', '127.0.0.1']]],
    ['a private and a public one', [['127.0.0.1', '8.8.8.8']]],
    ['both families', [['2606:4700::1111', '::1']]],
    ['a mapped one', [['::ffff:127.0.0.1']]],
    ['no address', [['localhost']]],
    ['one with a zone', [['fe80::1%lo']]],
  ])('a name with %s is not asked', async (_, answers) => {
    const error = await refusal(createOutbound(answering(...answers)).send(`https://evil.example:${port}/`));
    expect(error).toMatchObject({ reason: 'refused' });
    expect(connections).toBe(0);
  });
});

test('a name is resolved once, and the connection is made to what was judged', async () => {
  // The first answer is allowed, the second would be another machine: it must never be asked for.
  const resolve = answering(['127.0.0.1'], ['192.0.2.1']);
  const answer = await createOutbound(resolve).send(`http://rebind.example:${port}/`, { trust: trusted });
  expect([answer.status, (await answer.read()).toString(), resolve.asked]).toEqual([200, '{}', 1]);
  // The other way round: public when judged, private a moment later.
  const turned = answering(['192.0.2.1'], ['127.0.0.1']);
  await refusal(createOutbound(turned).send(`http://rebind.example:${port}/`, { trust: trusted }));
  expect([turned.asked, connections]).toEqual([1, 1]);
});

describe('what an administrator allowed', () => {
  test('is asked, under the name that was given', async () => {
    handle = (request, response) => void response.end(JSON.stringify(request.headers));
    const url = `http://localhost:${port}/x`;
    const answer = await outbound.send(url, { trust: trusted });
    expect(JSON.parse((await answer.read()).toString())).toEqual({
      host: `localhost:${port}`,
      'user-agent': 'berth',
      'accept-encoding': 'identity',
      connection: 'close',
    });
    expect(answer.url).toBe(url);
  });

  test.each([
    '169.254.169.254',
    '[fe80::1]',
    '0.0.0.0',
    '224.0.0.1',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[fd00:ec2::254]',
  ])('does not hold %s', async (host) => {
    expect(await refusal(outbound.send(`http://${host}:${port}/`, { trust: trusted }))).toMatchObject({
      reason: 'refused',
    });
    expect(connections).toBe(0);
  });

  test('does not hold http, unless that was allowed, too', async () => {
    expect(await refusal(outbound.send(own, { trust: { privateAddresses: true } }))).toMatchObject({
      reason: 'refused',
    });
    expect(connections).toBe(0);
  });

  test('sends a body, and no header that is not a caller’s to set', async () => {
    handle = (request, response) => void request.pipe(response);
    const answer = await outbound.send(own, { method: 'POST', body: 'hello', trust: trusted });
    expect((await answer.read()).toString()).toBe('hello');
    for (const name of ['Host', 'Connection', 'Transfer-Encoding', 'Proxy-Authorization', 'Upgrade']) {
      const error = await refusal(outbound.send(own, { headers: { [name]: 'x' }, trust: trusted }));
      expect(error, name).toMatchObject({ reason: 'refused' });
    }
  });
});

describe('redirects', () => {
  const redirect =
    (to: string, status = 302): RequestListener =>
    (request, response) =>
      void (request.url === '/'
        ? response.writeHead(status, { Location: to }).end()
        : response.end(JSON.stringify(request.headers)));

  test('are answers, unless they are to be followed, and never for a POST', async () => {
    handle = redirect('/else');
    expect((await outbound.send(own, { trust: trusted })).status).toBe(302);
    expect((await outbound.send(own, { trust: trusted, method: 'POST', body: '', redirects: 3 })).status).toBe(302);
    expect(hits).toEqual(['GET /', 'POST /']);
  });

  test('stay within what is trusted', async () => {
    handle = redirect('/else', 307);
    const answer = await outbound.send(own, { trust: trusted, redirects: 3, headers: { Authorization: 'x' } });
    expect(answer.url).toBe(`${own}/else`);
    expect(JSON.parse((await answer.read()).toString())).toMatchObject({ authorization: 'x' });
  });

  test.each([
    () => `http://localhost:${port}/else`,
    () => `http://127.0.0.1:${port + 1}/`,
    () => 'http://169.254.169.254/latest/meta-data/',
    () => 'file:///etc/passwd',
    () => 'gopher://127.0.0.1/',
    () => `http://user:secret@127.0.0.1:${port}/else`,
    () => `http://[::1]:${port}/else`,
    () => 'http://',
  ])('do not lead out of it (%#)', async (to) => {
    handle = redirect(to());
    const error = await refusal(outbound.send(own, { trust: trusted, redirects: 3 }));
    expect(error).toMatchObject({ reason: 'refused' });
    expect(hits).toEqual(['GET /']);
  });

  test('end', async () => {
    handle = (request, response) => void response.writeHead(302, { Location: request.url ?? '/' }).end();
    expect((await outbound.send(own, { trust: trusted, redirects: 1000 })).status).toBe(302);
    expect(hits).toHaveLength(6);
  });
});

describe('bounds', () => {
  const failing = (request: OutboundRequest) =>
    refusal(outbound.send(own, { trust: trusted, ...request }).then((answer) => answer.read()));

  test('an endless answer is not read to its end', async () => {
    handle = (_, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await failing({})).toMatchObject({ reason: 'failed', message: 'Its answer is larger than 1048576 bytes.' });
  });

  test('a slow head and a slow body are given up', async () => {
    handle = () => {};
    expect(await failing({ seconds: 0.2 })).toMatchObject({ message: 'It took longer than 0.2 s.' });
    handle = (_, response) => void response.write('x');
    expect(await failing({ seconds: 0.2 })).toMatchObject({ message: 'It took longer than 0.2 s.' });
  });

  test('a resolver that does not answer is given up', async () => {
    const never = createOutbound(() => new Promise(() => {}));
    const error = await refusal(never.send('https://slow.example/', { seconds: 0.1 }));
    expect(error).toMatchObject({ message: 'It took longer than 0.1 s.' });
  });

  test('a closed port, a cut answer and what is no HTTP are failures with a sentence', async () => {
    handle = (request) => request.socket.destroy();
    expect(await failing({})).toMatchObject({ reason: 'failed', message: 'It closed the connection.' });
    const babble = createTcpServer((socket) =>
      socket
        .resume()
        .on('error', () => {})
        .end('SSH-2.0-x\r\n'),
    ).listen(0, '127.0.0.1');
    await once(babble, 'listening');
    const at = `http://127.0.0.1:${(babble.address() as AddressInfo).port}`;
    expect(await refusal(outbound.send(at, { trust: trusted }))).toMatchObject({ reason: 'failed' });
    babble.close();
    await once(babble, 'close');
    expect(await refusal(outbound.send(at, { trust: trusted }))).toMatchObject({ message: 'Nothing listens there.' });
  });
});

test('proxies of the environment are not used', async () => {
  const before = { ...process.env };
  Object.assign(process.env, { HTTP_PROXY: own, http_proxy: own, ALL_PROXY: own, NODE_USE_ENV_PROXY: '1' });
  try {
    const error = await refusal(
      createOutbound(answering(['127.0.0.2'])).send(`http://x.example:1/`, { trust: trusted }),
    );
    expect(error).toMatchObject({ reason: 'failed' });
    expect(connections).toBe(0);
  } finally {
    process.env = before;
  }
});

test('public addresses are public', () => {
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
  ])
    expect(networkOf(address), address).toBe('public');
});

test('the listener that counts does count', async () => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  await once(socket, 'close');
  expect(connections).toBeGreaterThanOrEqual(1);
});
