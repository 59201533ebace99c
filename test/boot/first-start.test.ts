import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startHub } from '../harness/hub-process.ts';
import { expectWithin } from './within.ts';

const READY_MS = 10_000;

test('the first start makes a password and prints it, later ones do not', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-first-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));

  const first = await startHub({ dataDir });
  onTestFinished(() => void first.stop());
  expectWithin('first start', first.startedInMs, READY_MS);
  expect(first.adminPassword).toMatch(/^\S{24}$/);
  expect(first.workerPids()).toHaveLength(2);
  expect(first.output()).toContain(`docker login ${first.host} --username admin`);
  expect(first.output()).toContain(`docker push ${first.host}/`);
  expect(first.output()).toContain(`docker pull ${first.host}/`);
  expect(await status(first.url, 'admin', first.adminPassword)).toBe(200);
  expect(await status(first.url, 'admin', 'something else')).toBe(401);
  expect(await first.stop()).toBe(0);

  const second = await startHub({ dataDir });
  onTestFinished(() => void second.stop());
  expectWithin('second start', second.startedInMs, READY_MS);
  expect(second.output()).not.toContain('password');
  expect(second.output()).not.toContain(first.adminPassword);
  expect(await status(second.url, 'admin', first.adminPassword)).toBe(200);
  expect(await second.stop()).toBe(0);
});

test('a given password is used and not printed', async () => {
  await using hub = await startHub({ env: { BERTH_ADMIN_PASSWORD: 'correct horse battery' } });
  expect(hub.output()).not.toContain('correct horse');
  expect(await status(hub.url, 'admin', 'correct horse battery')).toBe(200);
});

test("the data folder and what is secret in it are the owner's alone", async () => {
  const parent = await mkdtemp(join(tmpdir(), 'berth-modes-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const dataDir = join(parent, 'made', 'here');
  await using _hub = await startHub({ dataDir });
  for (const [name, mode] of Object.entries({
    '.': 0o700,
    'master.key': 0o600,
    postgres: 0o700,
    'postgres.log': 0o600,
  })) {
    expect([name, (await stat(join(dataDir, name))).mode & 0o777]).toEqual([name, mode]);
  }
});

async function status(url: string, user: string, password: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return (await fetch(`${url}/v2/`, { headers: { authorization } })).status;
}
