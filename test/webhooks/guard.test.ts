/** A hook makes the hub send requests where people say: none of them leads inside, and no answer tells what is there. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import sql from 'sql-template-tag';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createOutbound } from '../../src/http/outbound.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus } from '../harness/oci-client.ts';
import { SPELLINGS, URLS } from '../http/outbound-spellings.ts';
import { receiver, webhooksOf, type Hook } from './harness.ts';

const hub = await testHub();
/** Names by what their next look-ups answer; the last answer stays. */
const zone = new Map<string, string[][]>();
const asked: string[] = [];
const outbound = createOutbound(async (name) => {
  asked.push(name);
  const answers = zone.get(name) ?? [];
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (answer === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
  return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
});
const { as, hook: anyHook, deliveries, shown, settle, later } = webhooksOf(hub, { outbound });
/** Told of nothing but tries. */
const NOTHING = ['nothing.at-all'];
const hook = (home: string, url: string) => anyHook(home, url, { types: NOTHING });
const jane = await hub.person();
const project = await hub.project({ grants: { [jane.name]: 'owner' } });
const base = `/projects/${project}/webhooks`;

// Every connection counts, whether or not it says something.
let connections = 0;
const inside = createServer((socket) => {
  connections++;
  socket.destroy();
}).listen(0, '127.0.0.1');
await once(inside, 'listening');
const { port } = inside.address() as { port: number };
afterAll(() => void inside.close());
beforeEach(() => {
  connections = 0;
  asked.length = 0;
});

async function made(url: string): Promise<Hook> {
  const answer = expectStatus(await as(jane.credentials, 'POST', base, { url, types: NOTHING }), 201);
  const { id, secret } = answer.json<{ id: string; secret: string }>();
  return { id, secret, at: `${base}/${id}` };
}

async function tried(one: Hook): Promise<void> {
  expectStatus(await hub.api('POST', `${one.at}/test`), 201);
  await settle();
}

describe('an owner of a project', () => {
  test(`cannot name any of ${SPELLINGS.length + URLS.length} ways inside, and each gets the same answer`, async () => {
    const urls = [...SPELLINGS.map((host) => `https://${host}:${port}/`), ...URLS];
    const answers = new Set<string>();
    for (const each of urls) {
      const url = each.replaceAll('PORT', String(port));
      const answer = await as(jane.credentials, 'POST', base, { url, types: ['*'] });
      expect(answer.status, url).toBe(400);
      const problem = answer.json<{ detail: string; errors?: unknown[] }>();
      if (problem.errors === undefined) answers.add(problem.detail);
      expect(problem.detail).not.toContain('127');
    }
    expect([...answers]).toHaveLength(1);
    expect(connections).toBe(0);
    expect(asked).toEqual([]);
  });

  test('cannot allow it to be inside either, nor move what an administrator allowed', async () => {
    const url = `http://127.0.0.1:${port}/hook`;
    for (const trust of [{ http: true }, { private_addresses: true }, { http: true, private_addresses: true }]) {
      expectStatus(await as(jane.credentials, 'POST', base, { url, types: ['*'], ...trust }), 403);
    }
    const allowed = await hook(project, url);
    expectStatus(await as(jane.credentials, 'PATCH', allowed.at, { url: `http://127.0.0.1:${port}/else` }), 400);
    expectStatus(await as(jane.credentials, 'PATCH', allowed.at, { url: 'https://outside.example/' }), 200);
    expect(await shown(allowed)).toMatchObject({ http: false, private_addresses: false });
    expectStatus(await as(jane.credentials, 'PATCH', allowed.at, { url }), 400);
    expectStatus(await hub.api('DELETE', allowed.at), 204);
    // What stays as it was stays allowed.
    const kept = await hook(project, url);
    expectStatus(await as(jane.credentials, 'PATCH', kept.at, { types: ['tag.*'] }), 200);
    expect(await shown(kept)).toMatchObject({ http: true, private_addresses: true });
    expectStatus(await hub.api('DELETE', kept.at), 204);
  });

  test('learns nothing about names and machines inside', async () => {
    zone.set('loopback.example', [['127.0.0.1']]);
    zone.set('metadata.example', [['169.254.169.254']]);
    zone.set('mixed.example', [['203.0.113.9', '10.0.0.1']]);
    zone.set('mapped.example', [['::ffff:127.0.0.1']]);
    const errors = new Set<string>();
    for (const name of ['loopback', 'metadata', 'mixed', 'mapped', 'no-such-name']) {
      const one = await made(`https://${name}.example:${port}/`);
      await tried(one);
      const [delivery] = await deliveries(one);
      expect(delivery).toMatchObject({ state: 'pending', attempts: 1 });
      errors.add(delivery!.error!);
    }
    expect([...errors]).toEqual([expect.stringMatching(/^The hub does not send to this URL/)]);
    expect(connections).toBe(0);
  });

  test('gains nothing from a name that answers otherwise a moment later', async () => {
    // Each attempt resolves once and connects to what was judged: what is said next is for the next attempt, and judged again.
    zone.set('rebind.example', [['192.0.2.1'], ['127.0.0.1'], ['127.0.0.1']]);
    const one = await made(`https://rebind.example:${port}/`);
    await tried(one);
    expect(asked).toEqual(['rebind.example']);
    for (let attempt = 1; attempt < 3; attempt++) {
      await later(one);
      await settle();
    }
    expect(asked).toHaveLength(3);
    expect(connections).toBe(0);
    // It looked like a matter of settings, so it is given up soon.
    expect(await deliveries(one)).toMatchObject([{ state: 'failed', attempts: 3 }]);
  });

  test('is cut off at once when the name turns round after an administrator has looked at it', async () => {
    const at = await receiver();
    zone.set('turning.example', [['127.0.0.1'], ['169.254.169.254']]);
    const one = await hook(project, `http://turning.example:${at.port}/`);
    await tried(one);
    expect(at.received).toHaveLength(1);
    expect(at.received[0]!.headers.host).toBe(`turning.example:${at.port}`);
    await tried(one);
    expect(at.received).toHaveLength(1);
    expect((await deliveries(one))[0]).toMatchObject({
      state: 'pending',
      error: 'It is at an address that nothing is asked at.',
    });
  });
});

describe('a receiver', () => {
  test.each([301, 302, 303, 307, 308])('that answers %i is not followed', async (status) => {
    const [at, else_] = [await receiver(), await receiver()];
    for (const to of [else_.url, 'http://169.254.169.254/latest/meta-data/', '/elsewhere', 'file:///etc/passwd']) {
      at.answer = (response) => void response.writeHead(status, { Location: to }).end();
      const one = await hook(project, at.url);
      await tried(one);
      expect(await deliveries(one)).toMatchObject([
        { state: 'pending', status, error: expect.stringMatching(/not followed/) },
      ]);
      expectStatus(await hub.api('DELETE', one.at), 204);
    }
    expect(at.received).toHaveLength(4);
    expect(else_.received).toEqual([]);
  });

  // Well within the time that an attempt may take: the connection is let go of at once.
  test(
    'that never ends its answer has been told all the same, and what it says is not kept',
    { timeout: 14_000 },
    async () => {
      const at = await receiver();
      const closed: Promise<unknown>[] = [];
      at.answer = (response) => {
        closed.push(once(response, 'close'));
        response.writeHead(200, { 'Set-Cookie': 'x=1' });
        const more = (): void => {
          while (!response.destroyed && response.write('the-inside-says-this'.repeat(3_000)));
        };
        response.on('drain', more);
        more();
      };
      const one = await hook(project, at.url);
      await tried(one);
      await Promise.all(closed);
      const [delivery] = await deliveries(one);
      expect(delivery).toMatchObject({ state: 'delivered', status: 200, attempts: 1 });
      const all = await hub.db.query(sql`select * from webhook_deliveries where webhook_id = ${one.id}`);
      expect(JSON.stringify(all)).not.toContain('the-inside-says-this');
    },
  );

  test('cannot be made to read a second request or a header out of what people write', async () => {
    const at = await receiver();
    const evil = 'x\r\nX-Injected: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n';
    for (const body of [
      { url: `${at.url}\r\nX-Injected: 1`, types: ['*'] },
      { url: at.url, types: [`*\r\nX: 1`] },
      { url: at.url, types: ['*'], description: evil },
      { url: at.url, types: ['*'], tag_glob: evil },
    ]) {
      expectStatus(await hub.api('POST', base, { http: true, private_addresses: true, ...body }), 400);
    }
    const one = await hook(project, `${at.url}/%0d%0aX-Injected:%201%0d%0a?a=%0d%0ab`);
    await tried(one);
    expect(at.received).toHaveLength(1);
    expect(at.received[0]!.path).toBe('/hook/%0d%0aX-Injected:%201%0d%0a?a=%0d%0ab');
    expect(Object.keys(at.received[0]!.headers).sort()).toEqual([
      'accept-encoding',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'webhook-id',
      'webhook-signature',
      'webhook-timestamp',
    ]);
  });
});
