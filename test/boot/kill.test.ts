import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { HubProcess, Victim } from '../harness/hub-process.ts';
import { OciClient, type Answer } from '../harness/oci-client.ts';
import { gone } from '../harness/processes.ts';
import { beginUpload, signIn, start } from './start.ts';
import { expectWithin } from './within.ts';

const AGAIN_MS = 5_000;

test.for<Victim>(['primary', 'node', 'both'])('after kill -9 of %s the next start serves', async (victim) => {
  const killed = await start();
  const postgres = await killed.postgresPid();
  await killed.kill9(victim);

  const next = await start({ dataDir: killed.dataDir, port: killed.port });
  await expectWithin(`start after kill -9 of ${victim}`, next.startedInMs, AGAIN_MS);
  expect(await readiness(next)).toBe(200);
  expect(await signIn(next)).toBe(200);
  // What is left of Postgres is taken over.
  if (victim !== 'both') expect(await next.postgresPid()).toBe(postgres);
  expect(await next.stop()).toBe(0);
  await gone([postgres]);
});

test('after kill -9 of Postgres alone the running hub recovers, without a restart', async () => {
  const hub = await start();
  const workers = hub.workerPids();
  const postgres = await hub.postgresPid();
  const from = performance.now();
  await hub.kill9('postgres');

  const seen = new Set<number>();
  await until(async () => {
    seen.add(await readiness(hub));
    return (await hub.postgresPid().catch(() => postgres)) !== postgres && (await readiness(hub)) === 200;
  });
  await expectWithin('serving after kill -9 of Postgres alone', performance.now() - from, AGAIN_MS);
  expect([...seen].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(await signIn(hub)).toBe(200);
  expect(hub.workerPids()).toEqual(workers);
  expect(hub.output()).toContain('Postgres is back');
});

test('after kill -9 of Postgres and at once of node the next start serves', async () => {
  const killed = await start();
  await Promise.all([killed.kill9('postgres'), killed.kill9('node')]);
  const next = await start({ dataDir: killed.dataDir, port: killed.port });
  await expectWithin('start after kill -9 of Postgres, then node', next.startedInMs, AGAIN_MS);
  expect(await signIn(next)).toBe(200);
});

test('a worker that is killed is started again; meanwhile requests are answered or refused, and none hangs', async () => {
  const hub = await start();
  const before = hub.workerPids();
  const [victim, ...others] = before;
  const isBack = () => !hub.workerPids().includes(victim!) && hub.workerPids().length === before.length;
  const outcomes = new Set<string>();
  const client = async () => {
    while (!isBack()) outcomes.add(await attempt(hub));
  };
  const clients = Array.from({ length: 8 }, client);
  process.kill(victim!, 'SIGKILL');
  await Promise.all(clients);
  expect(outcomes).not.toContain('TimeoutError');
  expect(outcomes).toContain('200');
  expect(hub.workerPids()).toEqual(expect.arrayContaining(others));
});

test('uploads of a worker that is killed can go on at once', async () => {
  const hub = await start();
  const repo = new OciClient({
    origin: hub.url,
    credentials: { username: 'admin', password: hub.adminPassword },
    transport: 'basic',
  }).repo('boot/app');
  // As many as make it certain that the killed worker had some of them.
  const uploads = await Promise.all(Array.from({ length: 16 }, () => beginUpload(hub)));
  const [victim] = hub.workerPids();
  const cut = uploads.map(async ({ body, location }) => {
    await once(body, 'error');
    return location;
  });
  process.kill(victim!, 'SIGKILL');
  const location = await Promise.race(cut);
  // While it ends, connections may still come to it, and are reset.
  let again: Answer | undefined;
  while (again === undefined) again = await repo.patch(location, Buffer.from('again')).catch(() => undefined);
  expect(again.status, again.body.toString()).toBe(202);
  for (const { body } of uploads) body.destroy();
});

/** A status, or the name of what went wrong: a reset when the connection was the killed worker's. */
async function attempt(hub: HubProcess): Promise<string> {
  try {
    const signal = AbortSignal.timeout(30_000);
    return String((await fetch(`${hub.url}/livez`, { headers: { connection: 'close' }, signal })).status);
  } catch (error) {
    return (error as Error).name;
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await sleep(10);
  }
}

/** On a connection of its own, so that a worker's end is not mistaken for the hub's. */
async function readiness(hub: HubProcess): Promise<number> {
  return (await fetch(`${hub.url}/readyz`, { headers: { connection: 'close' } })).status;
}
