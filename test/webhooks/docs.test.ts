/** docs/webhooks.md: its receiver runs as it stands there, and no event is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { freePort } from '../harness/hub-process.ts';
import { expectStatus, image } from '../harness/oci-client.ts';
import { webhooksOf, type Hook } from './harness.ts';

const ROOT = new URL('../../', import.meta.url);
const text = await readFile(new URL('docs/webhooks.md', ROOT), 'utf8');
const hub = await testHub();
const { hook, deliveries, settle } = webhooksOf(hub);

/** The receiver of the page, in a process of its own. */
async function runReceiver(port: number, secret: string) {
  const folder = await mkdtemp(join(tmpdir(), 'berth-receiver-'));
  const [, code] = /```js\n(.*?)```/s.exec(text.slice(text.indexOf('## A receiver')))!;
  await writeFile(join(folder, 'receiver.mjs'), code!);
  const child = spawn(process.execPath, [join(folder, 'receiver.mjs')], {
    env: { SECRET: secret, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (printed += more));
  return {
    code: code!,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

async function untilTaken(made: Hook, state: string): Promise<void> {
  for (;;) {
    await hub.db.pool.query(
      `update webhook_deliveries set next_attempt_at = now(), attempts = 0 where state = 'pending'`,
    );
    await settle();
    const [last] = await deliveries(made);
    if (last?.state === state || last?.status === 401) return;
    await delay(50);
  }
}

test('the receiver takes what is signed for it, and nothing else', async () => {
  const [project, port] = [await hub.project(), await freePort()];
  const made = await hook(project, `http://127.0.0.1:${port}/`, { types: ['manifest.pushed'] });
  await using running = await runReceiver(port, made.secret);
  expect(running.code.split('\n').length).toBeLessThanOrEqual(16);
  await hub.admin.repo(`${project}/web/api`).mustPushImage(image(), 'v1.4.0');
  await settle();
  await untilTaken(made, 'delivered');
  expect(running.printed()).toBe(`dev.berth.manifest.pushed ${project}/web/api:v1.4.0\n`);
  // Signed with another secret from now on.
  expectStatus(await hub.api('POST', `${made.at}/rotate-secret?overlap_hours=0`), 201);
  await hub.admin.repo(`${project}/web/api`).mustPushImage(image(), 'v1.4.1');
  await settle();
  const [refused] = await deliveries(made);
  expect(refused).toMatchObject({ state: 'pending', status: 401 });
  const late = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' };
  expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}', headers: late })).status).toBe(401);
  expect(running.printed().split('\n')).toHaveLength(2);
});

test('every type of event is listed', async () => {
  const source = new URL('src/', ROOT);
  const types = new Set<string>();
  for (const file of await readdir(source, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const code = await readFile(new URL(file, source), 'utf8');
    if (!/record(?:Event|Change|Done)|insert into events/.test(code)) continue;
    for (const [, type] of code.matchAll(/'(?:dev\.berth\.)?([a-z_]+\.[a-z][a-z_-]+)'/g)) types.add(type!);
  }
  expect(types.size).toBeGreaterThan(40);
  const listed = text.slice(text.indexOf('## Events'));
  expect([...types].filter((type) => !listed.includes(`| \`${type}\` |`))).toEqual([]);
});
