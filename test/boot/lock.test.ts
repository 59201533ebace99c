import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, runHub, startHub } from '../harness/hub-process.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'berth-lock-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a second hub on the same data folder is refused and told who has it', async () => {
  await using hub = await startHub();
  const { code, output } = await runHub({ dataDir: hub.dataDir, port: await freePort() });
  expect(code).toBe(1);
  expect(output).toBe(
    `berth: Another hub (process ${hub.pid}) is using ${hub.dataDir}. Stop it, or choose another folder with --data-dir or BERTH_DATA_DIR.\n`,
  );
  expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
});

test('of hubs that start at once on a new folder exactly one wins', async () => {
  const dataDir = await folder();
  const attempts = await Promise.allSettled([1, 2, 3].map(async () => startHub({ dataDir })));
  const winners = attempts.filter((attempt) => attempt.status === 'fulfilled').map((attempt) => attempt.value);
  for (const winner of winners) onTestFinished(() => void winner.stop());
  expect(winners).toHaveLength(1);
  for (const attempt of attempts) {
    if (attempt.status === 'rejected')
      expect(String(attempt.reason)).toMatch(/Another hub( \(process \d+\))? is using/);
  }
  expect((await fetch(`${winners[0]!.url}/readyz`)).status).toBe(200);
  await winners[0]!.stop();
});

test('the lock of a killed hub is gone at once, also while its Postgres goes on', async () => {
  const killed = await startHub();
  onTestFinished(() => void killed.stop());
  await killed.kill9('node');
  const [one, two] = await Promise.allSettled([
    startHub({ dataDir: killed.dataDir }),
    startHub({ dataDir: killed.dataDir }),
  ]);
  const winners = [one, two].filter((attempt) => attempt.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  await winners[0]!.value.stop();
  await killed.stop();
});

test('a port that is taken is said at once, and nothing is left behind', async () => {
  await using hub = await startHub();
  const dataDir = await folder();
  const { code, output } = await runHub({ dataDir, port: hub.port });
  expect(code).toBe(1);
  expect(output).toBe(
    `berth: Port ${hub.port} on 127.0.0.1 is already in use. Stop what listens there, or choose another with --port or BERTH_PORT.\n`,
  );
});

test('listening beyond this machine without a public URL is refused with exit code 2', async () => {
  const { code, output } = await runHub({
    dataDir: await folder(),
    port: await freePort(),
    flags: ['--host', '0.0.0.0'],
  });
  expect(code).toBe(2);
  expect(output).toMatch(/^berth: BERTH_PUBLIC_URL is required to listen on 0\.0\.0\.0, .*\n$/);
});
