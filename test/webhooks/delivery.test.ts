/** What a receiver gets, and what becomes of a message that it does not take. */
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { judge } from '../../src/registry/webhooks/schedule.ts';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image } from '../harness/oci-client.ts';
import { isSigned, receiver, webhooksOf, type Hook } from './harness.ts';

const hub = await testHub();
const { as, hook, deliveries, shown, settle, later } = webhooksOf(hub);
const all = await receiver();

/** A project with a hook on its pushes and a receiver of its own. */
async function arranged(more: Record<string, unknown> = {}) {
  const project = await hub.project();
  const at = await receiver();
  const made = await hook(project, at.url, { types: ['manifest.pushed'], ...more });
  const push = async (tag = 'v1') => {
    const content = image();
    await hub.admin.repo(`${project}/web/api`).mustPushImage(content, tag);
    return content.manifest.digest;
  };
  return { project, at, hook: made, push };
}

describe('a message', () => {
  test('is a CloudEvent, signed as Standard Webhooks says', async () => {
    const { project, at, hook: made, push } = await arranged();
    const digest = await push('v1');
    await settle();
    const [message] = at.received;
    expect(at.received).toHaveLength(1);
    expect(message!.method).toBe('POST');
    expect(message!.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    });
    expect(message!.event).toMatchObject({
      specversion: '1.0',
      id: expect.stringMatching(/^\d+$/),
      source: hub.origin,
      type: 'dev.berth.manifest.pushed',
      subject: `${project}/web/api:v1`,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      datacontenttype: 'application/json',
      data: {
        project,
        repository: `${project}/web/api`,
        digest,
        tags: ['v1'],
        kind: 'image',
        actor: { name: 'admin' },
      },
    });
    expect(isSigned(message!, made.secret)).toBe(true);
    expect(isSigned({ ...message!, body: message!.body.replace('v1', 'v2') }, made.secret)).toBe(false);
    const [delivery] = await deliveries(made);
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 1, status: 204 });
    expect(delivery!.message_id).toBe(message!.headers['webhook-id']);
    const one = expectStatus(await hub.api('GET', `${made.at}/deliveries/${delivery!.id}`), 200);
    expect(one.json<{ payload: unknown }>().payload).toEqual(message!.event);
  });

  test('says nothing of where its cause came from, and no secret of the hook is ever told again', async () => {
    const made = await hook(undefined, all.url, { types: ['*'] });
    const jane = await hub.person();
    const project = await hub.project({ grants: { [jane.name]: 'owner' } });
    await jane.client.repo(`${project}/app`).mustPushImage(image(), 'v1');
    expect(
      (await as(jane.credentials, 'POST', '/session', { name: jane.name, password: jane.credentials.password })).status,
    ).toBeLessThan(300);
    await settle();
    const told = all.received.map(({ body }) => body).join('\n');
    expect(told).toContain('"dev.berth.user.created"');
    expect(told).toContain('"dev.berth.session.started"');
    expect(told).not.toMatch(/127\.0\.0\.1(?!:)|"address"|"credential|"reason"|request_?id/i);
    expect(told).not.toContain(made.secret);
    for (const path of [made.at, '/webhooks', `/audit?action=webhook.*`]) {
      expect((await hub.api('GET', path)).body.toString()).not.toContain(made.secret);
    }
    expectStatus(await hub.api('DELETE', made.at), 204);
  });
});

describe('a message that is not taken', () => {
  test('comes again, at growing distances, under the same id and with a new signature', async () => {
    const { at, hook: made, push } = await arranged();
    at.answer = (response) => void response.writeHead(500).end();
    await push();
    await settle();
    expect(await deliveries(made)).toMatchObject([
      { state: 'pending', attempts: 1, status: 500, error: 'It answered 500.' },
    ]);
    // Nothing is sent before its time.
    await settle();
    expect(at.received).toHaveLength(1);
    const waits: number[] = [];
    for (let attempt = 1; attempt < 10; attempt++) {
      const row = await hub.db.first<{ seconds: number }>(sql`
        select extract(epoch from next_attempt_at - now())::float8 as seconds from webhook_deliveries
        where webhook_id = ${made.id} and state = 'pending'`);
      waits.push(row!.seconds);
      await later(made);
      await settle();
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[0]).toBeLessThan(7);
    expect(waits.at(-1)).toBeGreaterThan(86_000);
    expect(at.received).toHaveLength(10);
    expect(new Set(at.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(at.received.every((message) => isSigned(message, made.secret))).toBe(true);
    expect(await deliveries(made)).toMatchObject([{ state: 'failed', attempts: 10 }]);
    expect(await shown(made)).toMatchObject({ disabled: false, failing_since: expect.any(String) });
  });

  test('is delivered once the receiver is well again', async () => {
    const { at, hook: made, push } = await arranged();
    at.answer = (response) => void response.writeHead(503, { 'Retry-After': '600' }).end();
    await push();
    await settle();
    // The hook as a whole is left alone.
    await push('v2');
    await settle();
    expect(at.received).toHaveLength(1);
    at.answer = (response) => void response.writeHead(200).end('thank you');
    await later(made);
    await settle();
    expect((await deliveries(made)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
    expect(await shown<{ failing_since?: string }>(made)).not.toHaveProperty('failing_since');
  });

  test.each([
    [404, 3],
    [301, 3],
    [401, 3],
  ])('with %i is given up after %i attempts', async (status, attempts) => {
    const { at, hook: made, push } = await arranged();
    at.answer = (response) => void response.writeHead(status, { Location: 'http://169.254.169.254/latest/' }).end();
    await push();
    for (let attempt = 0; attempt < 5; attempt++) {
      await settle();
      await later(made);
    }
    expect(at.received).toHaveLength(attempts);
    expect(await deliveries(made)).toMatchObject([{ state: 'failed', attempts, status }]);
  });

  test('with 410 disables the hook, which is an event and drops what waits', async () => {
    const { project, at, hook: made, push } = await arranged();
    at.answer = (response) => void response.writeHead(410).end();
    await push();
    await settle();
    expect(await shown(made)).toMatchObject({ disabled: true, disabled_reason: 'gone' });
    await push('v2');
    await settle();
    expect(at.received).toHaveLength(1);
    const trail = await hub.api('GET', `/projects/${project}/audit?action=webhook.disabled`);
    expect(trail.json<{ items: unknown[] }>().items).toMatchObject([{ data: { webhook: made.id, reason: 'gone' } }]);
    expectStatus(await hub.api('POST', `${made.at}/test`), 409);
  });

  test('for five days disables the hook', async () => {
    const { at, hook: made, push } = await arranged();
    at.answer = (response) => void response.writeHead(500).end();
    await push();
    await settle();
    await hub.db.query(
      sql`update webhooks set failing_since = now() - interval '5 days 1 minute' where id = ${made.id}`,
    );
    await push('v2');
    await settle();
    expect(await shown(made)).toMatchObject({ disabled: true, disabled_reason: 'failing' });
    expect((await deliveries(made)).map(({ state }) => state)).toEqual(['dropped', 'dropped']);
    // Whoever enables it hears of what comes from then on.
    at.answer = (response) => void response.writeHead(200).end();
    await push('while-disabled');
    expectStatus(await hub.api('PATCH', made.at, { disabled: false }), 200);
    await push('v3');
    await settle();
    expect(at.received.at(-1)!.event.data).toMatchObject({ tags: ['v3'] });
    expect(at.received.map(({ event }) => event.data['tags'])).not.toContainEqual(['while-disabled']);
    expect(await shown<object>(made)).not.toHaveProperty('failing_since');
  });

  test('waits as judged', () => {
    const none = () => 0;
    expect(judge({ status: 204 }, 1)).toMatchObject({ state: 'delivered' });
    expect(judge({}, 1, none)).toMatchObject({ state: 'pending', waitSeconds: 5 });
    expect(judge({ status: 429, retryAfter: '120' }, 1, none)).toMatchObject({ waitSeconds: 120, pauseSeconds: 120 });
    expect(judge({ status: 429, retryAfter: '999999' }, 1, none)).toMatchObject({ waitSeconds: 3_600 });
    expect(judge({ status: 503, retryAfter: 'soon' }, 1, none)).toMatchObject({ waitSeconds: 5, pauseSeconds: 0 });
    expect(judge({ status: 503, retryAfter: '-5' }, 1, none)).toMatchObject({ waitSeconds: 5, pauseSeconds: 0 });
    expect(judge({ status: 500 }, 10, none)).toMatchObject({ state: 'failed' });
    expect(judge({ refused: true }, 3, none)).toMatchObject({ state: 'failed' });
  });
});

describe('a history', () => {
  test('has pages and states, and sends once more what it holds', async () => {
    const { at, hook: made, push } = await arranged();
    await push('v1');
    await settle();
    at.answer = (response) => void response.writeHead(404).end();
    await push('v2');
    await settle();
    const first = await hub.api('GET', `${made.at}/deliveries?limit=1`);
    const { items, next_cursor } = first.json<{ items: { id: string }[]; next_cursor: string }>();
    const second = await hub.api('GET', `${made.at}/deliveries?limit=1&cursor=${next_cursor}`);
    expect(Number(items[0]!.id)).toBeGreaterThan(Number(second.json<{ items: { id: string }[] }>().items[0]!.id));
    const [done] = await deliveries(made, '&state=delivered');
    expect(await deliveries(made, '&state=pending')).toHaveLength(1);
    at.answer = (response) => void response.writeHead(200).end();
    const again = expectStatus(await hub.api('POST', `${made.at}/deliveries/${done!.id}/redeliver`), 200);
    expect(again.json()).toMatchObject({ id: done!.id, state: 'pending', attempts: 0 });
    await settle();
    const same = at.received.filter(({ headers }) => headers['webhook-id'] === done!.message_id);
    expect(same).toHaveLength(2);
    expect(same[0]!.body).toBe(same[1]!.body);
    expect(await deliveries(made)).toHaveLength(2);
  });

  test('is of the hook alone', async () => {
    const [one, other] = [await arranged(), await arranged()];
    await one.push();
    await settle();
    const [delivery] = await deliveries(one.hook);
    for (const at of [
      other.hook.at,
      `/projects/${other.project}/webhooks/${one.hook.id}`,
      `/webhooks/${one.hook.id}`,
    ]) {
      expectStatus(await hub.api('GET', `${at}/deliveries/${delivery!.id}`), 404);
      expectStatus(await hub.api('POST', `${at}/deliveries/${delivery!.id}/redeliver`), 404);
    }
  });

  test('shows a try', async () => {
    const { at, hook: made } = await arranged();
    expectStatus(await hub.api('POST', `${made.at}/test`), 201);
    await settle();
    expect(at.received[0]!.event).toMatchObject({
      type: 'dev.berth.ping',
      source: hub.origin,
      data: { webhook: made.id },
    });
    expect(isSigned(at.received[0]!, made.secret)).toBe(true);
  });
});

test('a secret is rotated without a gap', async () => {
  const { at, hook: made, push } = await arranged();
  const rotated = expectStatus(await hub.api('POST', `${made.at}/rotate-secret?overlap_hours=1`), 201);
  const { secret } = rotated.json<{ secret: string }>();
  expect(secret).not.toBe(made.secret);
  await push('v1');
  await settle();
  expect([isSigned(at.received[0]!, made.secret), isSigned(at.received[0]!, secret)]).toEqual([true, true]);
  await hub.db.query(sql`update webhooks set previous_secret_until = now() where id = ${made.id}`);
  await push('v2');
  await settle();
  expect([isSigned(at.received[1]!, made.secret), isSigned(at.received[1]!, secret)]).toEqual([false, true]);
  // One that has leaked signs no more at once.
  const last = expectStatus(await hub.api('POST', `${made.at}/rotate-secret?overlap_hours=0`), 201);
  await push('v3');
  await settle();
  const now: Hook & { secret: string } = { ...made, secret: last.json<{ secret: string }>().secret };
  expect([isSigned(at.received[2]!, secret), isSigned(at.received[2]!, now.secret)]).toEqual([false, true]);
  expectStatus(await hub.api('DELETE', made.at), 204);
  const left = await hub.db.query(sql`
    select 1 from secrets s where purpose = 'webhook'
      and not exists (select 1 from webhooks w where s.id in (w.secret_id, w.previous_secret_id))`);
  expect(left).toEqual([]);
});
