import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signIn, start, temporaryFolder } from './start.ts';
import { expectWithin } from './within.ts';

const READY_MS = 10_000;

test('the first start makes a password and prints it, later ones do not', async () => {
  const dataDir = await temporaryFolder();
  const first = await start({ dataDir });
  await expectWithin('first start', first.startedInMs, READY_MS);
  expect(first.adminPassword).toMatch(/^\S{24}$/);
  expect(first.workerPids().length).toBeGreaterThanOrEqual(2);
  expect(first.output()).toContain(`docker login ${first.host} --username admin`);
  expect(first.output()).toContain(`docker push ${first.host}/`);
  expect(first.output()).toContain(`docker pull ${first.host}/`);
  expect(await signIn(first)).toBe(200);
  expect(await signIn(first, 'something else')).toBe(401);
  expect(await first.stop()).toBe(0);

  const second = await start({ dataDir });
  await expectWithin('second start', second.startedInMs, READY_MS);
  expect(second.output()).not.toContain('password');
  expect(second.output()).not.toContain(first.adminPassword);
  expect(await signIn(second, first.adminPassword)).toBe(200);
  expect(await second.stop()).toBe(0);
});

test('a given password is used and not printed', async () => {
  const hub = await start({ env: { BERTH_ADMIN_PASSWORD: 'correct horse battery' } });
  expect(hub.output()).not.toContain('correct horse');
  expect(await signIn(hub, 'correct horse battery')).toBe(200);
});

test('a new data folder, and what is secret in it, are for their owner alone', async () => {
  const dataDir = join(await temporaryFolder(), 'made', 'here');
  await start({ dataDir });
  const modes = { '.': 0o700, 'master.key': 0o600, postgres: 0o700, 'postgres.log': 0o600 };
  for (const [name, mode] of Object.entries(modes)) {
    expect([name, (await stat(join(dataDir, name))).mode & 0o777]).toEqual([name, mode]);
  }
});
