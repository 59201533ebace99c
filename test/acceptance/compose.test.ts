import { describe, expect, test } from 'vitest';
import { lacks } from './clients/client.ts';
import { run } from './command.ts';

describe.skipIf(lacks('docker-compose'))('docker-compose.yml', () => {
  const env = {
    BERTH_MASTER_KEY: Buffer.alloc(32).toString('base64'),
    POSTGRES_PASSWORD: 'a'.repeat(48),
    S3_SECRET_KEY: 'b',
  };

  test('is taken by Compose', async () => {
    const { stdout } = await run('docker-compose', ['config', '--services'], { env });
    expect(stdout.trim().split('\n').toSorted()).toEqual(['hub', 'postgres', 's3']);
  });

  test('asks for its secrets', async () => {
    await expect(run('docker-compose', ['config', '--quiet'])).rejects.toThrow(/required variable/);
  });
});
