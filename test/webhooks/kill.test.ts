/** A hub that is killed while it sends: the message is in its row, and is sent again by the hub that starts after it. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testDatabase } from '../harness/database.ts';
import { startHub } from '../harness/hub-process.ts';
import { basic, expectStatus, send, unique } from '../harness/oci-client.ts';
import { isSigned, receiver, type DeliveryShown } from './harness.ts';
import { setTimeout as delay } from 'node:timers/promises';

const { url: database } = await testDatabase();

// Two starts of a whole hub.
test(
  'a message that was under way when the hub was killed is delivered by the next one',
  { timeout: 60_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'berth-webhooks-'));
    const env = { DATABASE_URL: database, BERTH_WORKERS: '1', BERTH_ADMIN_PASSWORD: unique('password-') };
    const credentials = { username: 'admin', password: env.BERTH_ADMIN_PASSWORD };
    let origin = '';
    const api = (method: string, path: string, body?: unknown) =>
      send(origin, {
        method,
        path: `/api/v1${path}`,
        headers: { Authorization: basic(credentials), 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const at = await receiver();
    const holding: Promise<unknown>[] = [];
    at.answer = (response) => void holding.push(once(response, 'close'));
    try {
      await using first = await startHub({ env, dataDir, keep: true });
      origin = first.url;
      const body = { url: at.url, types: ['project.created'], http: true, private_addresses: true };
      const hook = expectStatus(await api('POST', '/webhooks', body), 201).json<{ id: string; secret: string }>();
      for (const name of [unique('a'), unique('b'), unique('c')]) {
        expectStatus(await api('POST', '/projects', { name }), 201);
      }
      // Two are with the receiver, which says nothing; the third waits.
      await at.wait(2);
      await first.kill9('node');
      await Promise.all(holding);
      at.answer = (response) => void response.writeHead(204).end();
      const before = new Set(at.received.map(({ headers }) => headers['webhook-id']));
      at.received.length = 0;

      await using second = await startHub({ env, dataDir, keep: true });
      origin = second.url;
      await at.wait(3);
      const states = async () =>
        expectStatus(await api('GET', `/webhooks/${hook.id}/deliveries`), 200)
          .json<{ items: DeliveryShown[] }>()
          .items.map(({ state }) => state);
      while ((await states()).includes('pending')) await delay(20);
      expect(await states()).toEqual(['delivered', 'delivered', 'delivered']);
      const after = at.received.map(({ headers }) => headers['webhook-id']);
      expect(new Set(after).size).toBe(3);
      expect(after).toHaveLength(3);
      for (const id of before) expect(after).toContain(id);
      expect(at.received.every((message) => isSigned(message, hook.secret))).toBe(true);
    } finally {
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
    }
  },
);
