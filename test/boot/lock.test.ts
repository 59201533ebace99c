import { expect, test } from 'vitest';
import { freePort, runHub } from '../harness/hub-process.ts';
import { start, temporaryFolder } from './start.ts';

test('a second hub on the same data folder is refused and told who has it', async () => {
  const hub = await start();
  const { code, output } = await runHub({ dataDir: hub.dataDir, port: await freePort() });
  expect(code).toBe(1);
  expect(output).toBe(
    `berth: Another hub (process ${hub.pid}) is using ${hub.dataDir}. Stop it, or choose another folder with --data-dir or BERTH_DATA_DIR.\n`,
  );
  expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
});

test('of hubs that start at once on a new folder exactly one wins', async () => {
  const dataDir = await temporaryFolder();
  const attempts = await Promise.allSettled([1, 2, 3].map(() => start({ dataDir })));
  const winners = attempts.filter((attempt) => attempt.status === 'fulfilled').map((attempt) => attempt.value);
  expect(winners).toHaveLength(1);
  for (const attempt of attempts) {
    if (attempt.status === 'rejected')
      expect(String(attempt.reason)).toMatch(/Another hub( \(process \d+\))? is using/);
  }
  expect((await fetch(`${winners[0]!.url}/readyz`)).status).toBe(200);
});

test('the lock of a killed hub is gone at once, also while its Postgres goes on', async () => {
  const { dataDir, kill9 } = await start();
  await kill9('node');
  const attempts = await Promise.allSettled([start({ dataDir }), start({ dataDir })]);
  const reasons = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [String(attempt.reason)] : []));
  expect(reasons).toEqual([expect.stringMatching(/Another hub( \(process \d+\))? is using/)]);
});

test('a port that is taken is said, and nothing is left behind', async () => {
  const hub = await start();
  const dataDir = await temporaryFolder();
  const { code, output } = await runHub({ dataDir, port: hub.port });
  expect(code).toBe(1);
  expect(output).toBe(
    `berth: Port ${hub.port} on 127.0.0.1 is already in use. Stop what listens there, or choose another with --port or BERTH_PORT.\n`,
  );
});

test('listening beyond this machine without a public URL is refused with exit code 2', async () => {
  const { code, output } = await runHub({
    dataDir: await temporaryFolder(),
    port: await freePort(),
    flags: ['--host', '0.0.0.0'],
  });
  expect(code).toBe(2);
  expect(output).toMatch(/^berth: BERTH_PUBLIC_URL is required to listen on 0\.0\.0\.0, .*\n$/);
});
