/** Receivers that listen for real, and a hub's dispatcher that works when the test says so. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { afterAll } from 'vitest';
import { startDispatcher, type Dispatcher } from '../../src/registry/webhooks/dispatcher.ts';
import type { WebhookParts } from '../../src/registry/webhooks/parts.ts';
import type { TestHub } from '../harness/hub.ts';
import { basic, expectStatus, send, type Answer, type Credentials } from '../harness/oci-client.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: CloudEvent;
}

export interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly datacontenttype: string;
  readonly data: Record<string, unknown>;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** What it does when a message is there; 204 when absent. */
  answer: (response: ServerResponse, received: Received) => void;
  /** Settles when so many are there. */
  wait(count: number): Promise<readonly Received[]>;
}

const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/** Listens until the end of the file. */
export async function receiver(host = '127.0.0.1'): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { method = '', url = '', headers } = request;
        const event = (body === '' ? {} : JSON.parse(body)) as CloudEvent;
        const one = { method, path: url, headers, body, event };
        self.received.push(one);
        self.answer(response, one);
      });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const self: Receiver = {
    url: `http://${host}:${port}/hook`,
    port,
    received: [],
    answer: (response) => void response.writeHead(204).end(),
    async wait(count) {
      while (self.received.length < count) await delay(10);
      return self.received;
    },
  };
  servers.push(server);
  return self;
}

/** As a receiver in another language would do it, after the specification's text. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const expected = createHmac('sha256', key).update(content).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((signature) => {
      const [version, given = ''] = signature.split(',', 2);
      const bytes = Buffer.from(given, 'base64');
      return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected);
    });
}

export interface Hook {
  readonly id: string;
  readonly secret: string;
  /** Its address in the API. */
  readonly at: string;
}

export interface DeliveryShown {
  readonly id: string;
  readonly message_id: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly status?: number;
  readonly error?: string;
}

/** @param instead parts other than the hub's own */
export function webhooksOf(hub: TestHub, instead: Partial<WebhookParts> = {}) {
  const errors: unknown[] = [];
  const { registry, secrets, outbound } = hub.context;
  const parts: WebhookParts = { registry, secrets, outbound, source: hub.origin, ...instead };
  const dispatcher: Dispatcher = startDispatcher(parts, { beat: false, onError: (error) => errors.push(error) });
  afterAll(async () => {
    await dispatcher[Symbol.asyncDispose]();
    if (errors.length > 0) throw new AggregateError(errors, 'the dispatcher failed');
  });

  function as(credentials: Credentials, method: string, path: string, body?: unknown): Promise<Answer> {
    return send(hub.origin, {
      method,
      path: `/api/v1${path}`,
      headers: { Authorization: basic(credentials), 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  return {
    parts,
    dispatcher,
    as,
    /** A hook that may reach this machine, made by the administrator. @param project undefined: of the hub */
    async hook(project: string | undefined, url: string, more: Record<string, unknown> = {}): Promise<Hook> {
      const base = project === undefined ? '/webhooks' : `/projects/${project}/webhooks`;
      const body = { url, types: ['*'], http: true, private_addresses: true, ...more };
      const made = expectStatus(await hub.api('POST', base, body), 201).json<{ id: string; secret: string }>();
      return { ...made, at: `${base}/${made.id}` };
    },
    async deliveries({ at }: Hook, query = ''): Promise<DeliveryShown[]> {
      const answer = await hub.api('GET', `${at}/deliveries?limit=1000${query}`);
      return expectStatus(answer, 200).json<{ items: DeliveryShown[] }>().items;
    },
    async shown<T>({ at }: Hook): Promise<T> {
      return expectStatus(await hub.api('GET', at), 200).json<T>();
    },
    /** Until everything that has been committed is read, which takes as long as the oldest transaction on the server. */
    async settle(): Promise<void> {
      const goal = await hub.db.first<{ id: number }>(sql`select coalesce(max(id), 0) as id from events`);
      for (;;) {
        await dispatcher.settle();
        const left = await hub.db.first<{ left: number }>(sql`
          select count(*) as left from events e, event_consumers c
          where c.name = 'webhooks' and (e.xid, e.id) > (c.xid, c.id) and e.id <= ${goal!.id}
            and exists (select 1 from webhooks where disabled_at is null)`);
        if (left!.left === 0) return;
        await delay(20);
      }
    },
    /** The time of the next attempt has come, for everything that waits for a hook. */
    async later({ id }: Hook): Promise<void> {
      await hub.db.query(
        sql`update webhook_deliveries set next_attempt_at = now() where webhook_id = ${id} and state = 'pending'`,
      );
      await hub.db.query(sql`update webhooks set paused_until = null where id = ${id}`);
    },
  };
}
