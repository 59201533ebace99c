/** From events to messages: each event once for each hook, whoever reads, whenever it is committed, and nothing waits for it. */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { afterAll, describe, expect, test } from 'vitest';
import { deleteOldEvents } from '../../src/registry/queries/events.ts';
import { moveCursor } from '../../src/registry/queries/webhook-outbox.ts';
import { pruneDeliveries } from '../../src/registry/webhooks/deliveries.ts';
import { startDispatcher } from '../../src/registry/webhooks/dispatcher.ts';
import { fanOut, MOST_PENDING } from '../../src/registry/webhooks/fan-out.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image } from '../harness/oci-client.ts';
import { receiver, webhooksOf, type Hook } from './harness.ts';

const hub = await testHub();
const { parts, dispatcher, hook, deliveries, shown, settle } = webhooksOf(hub);

/** So many events in one statement. */
async function happen(project: string, count: number, type = 'dev.berth.manifest.pushed'): Promise<void> {
  await hub.db.query(sql`
    insert into events (type, project_id, repository_id, data)
    select ${type}, p.id, (select min(id) from repositories where project_id = p.id), jsonb_build_object('tags', array['t' || i])
    from projects p, generate_series(1, ${count}::int) i where p.name = ${project}`);
}

function cursor(name = 'webhooks') {
  return hub.db.first<{ xid: string; id: number }>(sql`
    select xid::text, id from event_consumers where name = ${name}`);
}

async function types(): Promise<string[]> {
  return (await hub.db.query<{ type: string }>(sql`select type from events order by id`)).map(({ type }) => type);
}

/** Until the consumer has passed all that there is, which takes as long as the oldest transaction on the server. */
async function until(name: string, step: () => Promise<unknown>): Promise<void> {
  const goal = await hub.db.first<{ xid: string; id: number }>(sql`
    select xid::text, id from events e order by e.xid desc, e.id desc limit 1`);
  for (;;) {
    await step();
    const { xid, id } = (await cursor(name))!;
    if (BigInt(xid) > BigInt(goal!.xid) || (xid === goal!.xid && id >= goal!.id)) return;
    await delay(20);
  }
}

/** Each dispatcher is new, and so skips at once instead of half a minute later. */
const passBy = () => until('webhooks', () => startDispatcher(parts, { beat: false, onError: () => {} }).settle());
const chainAll = () => until('audit', () => hub.api('GET', '/audit'));

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
    await happen(project, 40);
    await Promise.all([settle(), ...others.map((each) => each.settle())]);
    await settle();
    for (const each of others) await each[Symbol.asyncDispose]();
    expect(errors).toEqual([]);
    expect(at.received).toHaveLength(120);
    expect(new Set(at.received.map(({ headers }) => headers['webhook-id'])).size).toBe(120);
    for (const each of hooks) {
      const rows = await deliveries(each);
      expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['delivered']));
      expect(rows).toHaveLength(40);
      expectStatus(await hub.api('DELETE', each.at), 204);
    }
  });

  test('is passed by while there are no hooks, and old events go only when all have passed them', async () => {
    expectStatus(await hub.api('POST', '/users', { name: 'somebody', password: 'long enough' }), 201);
    for (const { id } of await hub.db.query<{ id: number }>(sql`select id from webhooks`)) {
      await hub.db.query(sql`delete from webhooks where id = ${id}`);
    }
    const before = await cursor();
    await passBy();
    expect((await cursor())!.id).toBeGreaterThan(before!.id);
    // Everything is old; the audit trail has read none of what comes now.
    await hub.api('GET', '/audit');
    expectStatus(await hub.api('POST', '/users', { name: 'somebody-else', password: 'long enough' }), 201);
    await passBy();
    await hub.db.query(sql`update events set at = now() - interval '31 days'`);
    await deleteOldEvents(hub.db, 100_000);
    expect((await types()).at(-1)).toBe('dev.berth.user.created');
    // A consumer that has not begun has passed nothing.
    await hub.db.query(sql`insert into event_consumers (name) values ('new')`);
    await chainAll();
    await deleteOldEvents(hub.db, 100_000);
    expect((await types()).at(-1)).toBe('dev.berth.user.created');
    await hub.db.query(sql`delete from event_consumers where name = 'new'`);
    await deleteOldEvents(hub.db, 100_000);
    expect(await types()).toEqual([]);
  });

  test('is taken a step of only from where it was read', async () => {
    const place = { xid: '1', id: 1 };
    const before = await cursor();
    expect(await hub.db.transaction((tx) => moveCursor(tx, place, place))).toBe(false);
    expect(await cursor()).toEqual(before);
  });
});

describe('a queue', () => {
  test('is bounded: the oldest go, and the hook says how many', async () => {
    const project = await hub.project();
    await hub.admin.repo(`${project}/app`).mustPushImage(image(), 'v1');
    const one = await hook(project, 'http://127.0.0.1:1/', { types: ['manifest.pushed'] });
    await happen(project, MOST_PENDING + 50);
    await until('webhooks', readAll);
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

test('a message that somebody else has is theirs, until their time is over', async () => {
  const project = await hub.project();
  const at = await receiver();
  const one = await hook(project, at.url, { types: ['nothing.at-all'] });
  const theirs = '00000000-0000-4000-8000-000000000003';
  at.answer = (response) =>
    // Taken away while it is under way, as from a process that has stood still for a minute.
    void hub.db
      .query(sql`
        update webhook_deliveries set claimed_by = ${theirs}, claimed_until = now() + interval '1 hour'
        where webhook_id = ${one.id}`)
      .then(() => response.writeHead(204).end());
  expectStatus(await hub.api('POST', `${one.at}/test`), 201);
  await settle();
  await settle();
  expect(at.received).toHaveLength(1);
  expect(await deliveries(one)).toMatchObject([{ state: 'pending', attempts: 0 }]);
  at.answer = (response) => void response.writeHead(204).end();
  await hub.db.query(sql`update webhook_deliveries set claimed_until = now() where webhook_id = ${one.id}`);
  await settle();
  expect(at.received).toHaveLength(2);
  expect(await deliveries(one)).toMatchObject([{ state: 'delivered', attempts: 1 }]);
});

describe('receivers that never answer, and ones that are dead', () => {
  const sockets = new Set<Socket>();
  let most = 0;
  const hole = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    most = Math.max(most, sockets.size);
  });
  afterAll(() => void hole.close());

  test('hold up neither pushes nor other hooks', { timeout: 60_000 }, async () => {
    hole.listen(0, '127.0.0.1');
    await once(hole, 'listening');
    const silent = `http://127.0.0.1:${(hole.address() as { port: number }).port}/`;
    const well = await receiver();
    const [project, theirs] = [await hub.project(), await hub.project()];
    const slow = [];
    // As many as there are places in all, and some that refuse.
    for (let i = 0; i < 11; i++)
      slow.push(await hook(project, i < 8 ? silent : 'http://127.0.0.1:1/', { types: ['manifest.pushed'] }));
    const good = [await hook(project, well.url, { types: ['manifest.pushed'] })];
    good.push(await hook(theirs, well.url, { types: ['manifest.pushed'] }));
    const settled = async (one: Hook) => {
      while ((await deliveries(one)).some(({ state }) => state === 'pending')) await delay(10);
    };
    const working = startDispatcher(parts, { onError: () => {} });
    const pushTo = async (name: string) => {
      for (let i = 0; i < 5; i++) await hub.admin.repo(`${name}/app`).mustPushImage(image(), `v${i}`);
    };
    await pushTo(project);
    // All the places of this project are taken by receivers that say nothing.
    while (most < 5) await delay(10);
    await pushTo(theirs);
    while (well.received.filter(({ event }) => event.data['project'] === theirs).length < 5) await delay(10);
    await settled(good[1]!);
    expect(most).toBeLessThanOrEqual(6);
    for (const each of slow) expectStatus(await hub.api('DELETE', each.at), 204);
    for (const socket of sockets) socket.destroy();
    await well.wait(10);
    await working[Symbol.asyncDispose]();
    expect(well.received).toHaveLength(10);
  });
});
