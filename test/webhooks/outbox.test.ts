/** From events to messages: each event once for each hook, whoever reads, whenever it is committed, and nothing waits for it. */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { afterAll, describe, expect, test } from 'vitest';
import { deleteOldEvents } from '../../src/registry/queries/events.ts';
import { pruneDeliveries } from '../../src/registry/webhooks/deliveries.ts';
import { startDispatcher } from '../../src/registry/webhooks/dispatcher.ts';
import { fanOut, MOST_PENDING } from '../../src/registry/webhooks/fan-out.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image } from '../harness/oci-client.ts';
import { receiver, webhooksOf } from './harness.ts';

const hub = await testHub();
const { parts, dispatcher, hook, deliveries, shown, settle } = webhooksOf(hub);

/** So many events in one statement. */
async function happen(project: string, count: number, type = 'dev.berth.manifest.pushed'): Promise<void> {
  await hub.db.query(sql`
    insert into events (type, project_id, repository_id, data)
    select ${type}, p.id, (select min(id) from repositories where project_id = p.id), jsonb_build_object('tags', array['t' || i])
    from projects p, generate_series(1, ${count}::int) i where p.name = ${project}`);
}

async function readAll(): Promise<void> {
  while ((await fanOut(parts)) === 'more');
}

describe('the outbox', () => {
  test('is not read past a transaction that is still open, and what that commits is not missed', async () => {
    const project = await hub.project();
    const at = await receiver();
    await hook(project, at.url, { types: ['late.*', 'early.*'] });
    const client = await hub.db.pool.connect();
    await client.query('begin');
    await client.query(
      `insert into events (type, project_id, data) select 'dev.berth.late.one', id, '{}' from projects where name = $1`,
      [project],
    );
    await happen(project, 1, 'dev.berth.early.one');
    await readAll();
    await dispatcher.settle();
    await client.query('commit');
    client.release();
    await settle();
    expect(at.received.map(({ event }) => event.type).sort()).toEqual(['dev.berth.early.one', 'dev.berth.late.one']);
  });

  test('is read by several at once, and each message is made and sent once', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    const at = await receiver();
    const hooks = await Promise.all([1, 2, 3].map(() => hook(project, at.url, { types: ['manifest.pushed'] })));
    const errors: unknown[] = [];
    const others = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'].map((worker) =>
      startDispatcher(
        { ...parts, registry: { ...parts.registry, worker } },
        { beat: false, onError: (error) => errors.push(error) },
      ),
    );
    await happen(project, 100);
    await Promise.all([settle(), ...others.map((each) => each.settle())]);
    await settle();
    for (const each of others) await each[Symbol.asyncDispose]();
    expect(errors).toEqual([]);
    expect(at.received).toHaveLength(300);
    expect(new Set(at.received.map(({ headers }) => headers['webhook-id'])).size).toBe(300);
    for (const each of hooks) {
      const rows = await deliveries(each);
      expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['delivered']));
      expect(rows).toHaveLength(100);
      expectStatus(await hub.api('DELETE', each.at), 204);
    }
  });

  test('is passed by while there are no hooks, and old events go only when all have passed them', async () => {
    const cursor = () =>
      hub.db.first<{ xid: string; id: number }>(sql`
        select xid::text, id from event_consumers where name = 'webhooks'`);
    expectStatus(await hub.api('POST', '/users', { name: 'somebody', password: 'long enough' }), 201);
    for (const { id } of await hub.db.query<{ id: number }>(sql`select id from webhooks`)) {
      await hub.db.query(sql`delete from webhooks where id = ${id}`);
    }
    const quiet = startDispatcher(parts, { beat: false, onError: () => {} });
    const before = await cursor();
    const goal = await hub.db.first<{ id: number }>(sql`select max(id) as id from events`);
    for (;;) {
      // Each is new, and so skips at once instead of half a minute later.
      const fresh = startDispatcher(parts, { beat: false, onError: () => {} });
      await fresh.settle();
      if ((await cursor())!.id >= goal!.id) break;
    }
    await quiet[Symbol.asyncDispose]();
    expect((await cursor())!.id).toBeGreaterThan(before!.id);
    // Everything is old; the audit trail has read none of what comes now.
    await hub.api('GET', '/audit');
    expectStatus(await hub.api('POST', '/users', { name: 'somebody-else', password: 'long enough' }), 201);
    await hub.db.query(sql`update events set at = now() - interval '31 days'`);
    await deleteOldEvents(hub.db, 100_000);
    const left = await hub.db.query<{ type: string }>(sql`select type from events order by id`);
    expect(left.at(-1)).toMatchObject({ type: 'dev.berth.user.created' });
    // A consumer that has not begun has passed nothing.
    await hub.db.query(sql`insert into event_consumers (name) values ('new')`);
    await hub.api('GET', '/audit');
    await deleteOldEvents(hub.db, 100_000);
    expect((await hub.db.query(sql`select 1 from events`)).length).toBe(left.length);
    await hub.db.query(sql`delete from event_consumers where name = 'new'`);
  });
});

describe('a queue', () => {
  test('is bounded: the oldest go, and the hook says how many', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    const one = await hook(project, 'http://127.0.0.1:1/', { types: ['manifest.pushed'] });
    await happen(project, MOST_PENDING + 50);
    const goal = await hub.db.first<{ id: number }>(sql`select max(id) as id from events`);
    for (;;) {
      await readAll();
      const at = await hub.db.first<{ id: number }>(sql`select id from event_consumers where name = 'webhooks'`);
      if (at!.id >= goal!.id) break;
    }
    const [count] = await hub.db.query<{ pending: number; dropped: number; first: string }>(sql`
      select count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'dropped') as dropped,
             min(payload::jsonb #>> '{data,tags,0}') filter (where state = 'dropped' and event_id =
               (select min(event_id) from webhook_deliveries where webhook_id = ${one.id})) as first
      from webhook_deliveries where webhook_id = ${one.id}`);
    expect(count).toEqual({ pending: MOST_PENDING, dropped: 50, first: 't1' });
    expect(await shown(one)).toMatchObject({ dropped: 50 });
    expectStatus(await hub.api('POST', `${one.at}/test`), 409);
    // The history is bounded, too.
    await hub.db.query(sql`
      update webhook_deliveries set state = 'failed', finished_at = now() where webhook_id = ${one.id} and state = 'pending'`);
    await pruneDeliveries(hub.db);
    const kept = await hub.db.first<{ count: number; oldest: number }>(sql`
      select count(*) as count, count(*) filter (where state = 'dropped') as oldest
      from webhook_deliveries where webhook_id = ${one.id}`);
    expect(kept).toEqual({ count: 1_000, oldest: 0 });
    await hub.db.query(sql`
      update webhook_deliveries set finished_at = now() - interval '31 days' where webhook_id = ${one.id}`);
    await pruneDeliveries(hub.db);
    expect(await deliveries(one)).toEqual([]);
    expectStatus(await hub.api('DELETE', one.at), 204);
  });

  test('holds what is large only in brief', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    const at = await receiver();
    await hook(project, at.url, { types: ['manifest.deleted'] });
    const tags = Array.from({ length: 10_000 }, (_, i) => `tag-${i}`);
    await hub.db.query(sql`
      insert into events (type, project_id, repository_id, data)
      select 'dev.berth.manifest.deleted', p.id, r.id, ${JSON.stringify({ digest: 'sha256:1', tags })}::jsonb
      from projects p join repositories r on r.project_id = p.id where p.name = ${project}`);
    await settle();
    expect(at.received[0]!.body.length).toBeLessThan(1_000);
    expect(at.received[0]!.event.data).toMatchObject({ truncated: true, repository: `${project}/app` });
  });
});

describe('receivers that never answer, and ones that are dead', () => {
  const sockets = new Set<Socket>();
  const hole = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  afterAll(() => void hole.close());

  test('hold up neither pushes nor other hooks', async () => {
    hole.listen(0, '127.0.0.1');
    await once(hole, 'listening');
    const silent = `http://127.0.0.1:${(hole.address() as { port: number }).port}/`;
    const well = await receiver();
    const [project, theirs] = [await hub.project(), await hub.project()];
    const slow = [];
    // More of them than there are places in all.
    for (let i = 0; i < 20; i++)
      slow.push(await hook(project, i % 2 ? silent : 'http://127.0.0.1:1/', { types: ['*'] }));
    const good = [await hook(project, well.url, { types: ['manifest.pushed'] })];
    good.push(await hook(theirs, well.url, { types: ['manifest.pushed'] }));
    const working = startDispatcher(parts, { onError: () => {} });
    for (const name of [project, theirs]) {
      for (let i = 0; i < 5; i++) await hub.admin.repo(`${name}/app`).mustPushImage(image(), `v${i}`);
    }
    // The project with the silent receivers has places of its own, and another project has its own.
    while (well.received.filter(({ event }) => event.data['project'] === theirs).length < 5) await delay(10);
    expect((await deliveries(good[1]!)).every(({ state }) => state === 'delivered')).toBe(true);
    for (const each of slow) expectStatus(await hub.api('DELETE', each.at), 204);
    for (const socket of sockets) socket.destroy();
    await well.wait(10);
    await working[Symbol.asyncDispose]();
    expect(well.received).toHaveLength(10);
  });
});
