import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { completeSecrets, readConfig } from '../../src/config.ts';

const parent = await mkdtemp(join(tmpdir(), 'berth-key-'));
afterAll(() => rm(parent, { recursive: true }));

async function dataDir(): Promise<string> {
  return mkdtemp(join(parent, 'data-'));
}

test('the key is made once, and for its owner alone', async () => {
  const folder = await dataDir();
  const { config } = readConfig({ env: { BERTH_DATA_DIR: folder } });
  const { masterKey } = await completeSecrets(config, {});
  expect(masterKey).toHaveLength(32);
  expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o600);
  expect((await completeSecrets(config, {})).masterKey).toEqual(masterKey);
});

test('processes that need it at once get the same one', async () => {
  const { config } = readConfig({ env: { BERTH_DATA_DIR: await dataDir() } });
  const all = await Promise.all(Array.from({ length: 8 }, () => completeSecrets(config, {})));
  expect(new Set(all.map(({ masterKey }) => masterKey.toString('hex'))).size).toBe(1);
});

test('a damaged file is not replaced', async () => {
  const folder = await dataDir();
  const { config } = readConfig({ env: { BERTH_DATA_DIR: folder } });
  await writeFile(join(folder, 'master.key'), 'half a k');
  await expect(completeSecrets(config, {})).rejects.toThrow('is damaged. Put it back from a backup');
  expect(await readFile(join(folder, 'master.key'), 'utf8')).toBe('half a k');
});

test('a given key is used, and required when nothing is in the data folder', async () => {
  const given = Buffer.alloc(32, 1);
  const env = { DATABASE_URL: 'postgresql://db/berth', BERTH_S3_BUCKET: 'b' };
  const { config } = readConfig({ env });
  expect((await completeSecrets(config, { masterKey: given })).masterKey).toBe(given);
  await expect(completeSecrets(config, {})).rejects.toThrow('BERTH_MASTER_KEY is required');
});
