/** docker-compose.yml and Dockerfile, as far as they can be judged where no image can be pulled. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { completeSecrets, readConfig, usesDataDir } from '../../src/config.ts';

const ROOT = new URL('../../', import.meta.url);
const VALUES = {
  BERTH_MASTER_KEY: Buffer.alloc(32).toString('base64'),
  POSTGRES_PASSWORD: 'a'.repeat(48),
  S3_SECRET_KEY: 'b',
};

interface Compose {
  readonly services: Record<string, { environment: Record<string, string>; command?: string[] }>;
}

/** The part of Compose's interpolation that the file uses. */
function interpolate(text: string): string {
  return text.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string | undefined, rest: string) => {
      return VALUES[name as keyof typeof VALUES] ?? (kind === '-' ? rest : '');
    },
  );
}

test('the hub of docker-compose.yml starts with its settings, and keeps nothing', async () => {
  const { services } = parse(await readFile(new URL('docker-compose.yml', ROOT), 'utf8')) as Compose;
  const entries = Object.entries(services['hub']!.environment).map(
    ([name, value]) => [name, interpolate(value)] as const,
  );
  // As in the image.
  const { config, secrets } = readConfig({ env: { BERTH_HOST: '0.0.0.0', ...Object.fromEntries(entries) } });
  expect(usesDataDir(config)).toBe(false);
  expect(config.publicUrls).toEqual(['http://127.0.0.1:8080', 'http://localhost:8080']);
  expect((await completeSecrets(config, secrets)).masterKey).toHaveLength(32);
  const bucket = config.store.kind === 's3' ? config.store.bucket : undefined;
  expect(services['s3']!.command).toContain(`-bucket=${bucket}`);
});

test('what the image is made from is in its context', async () => {
  const ignored = await readFile(new URL('.dockerignore', ROOT), 'utf8');
  const dockerfile = await readFile(new URL('Dockerfile', ROOT), 'utf8');
  for (const path of dockerfile.matchAll(/^COPY (?!--from)(.+) \.\/$/gm).flatMap(([, paths]) => paths!.split(' '))) {
    if (path !== '.') expect(ignored.split('\n')).toContain(`!${path}`);
  }
  for (const path of ['src', 'bin', 'migrations', 'scripts/warm-up.mjs'])
    expect(ignored.split('\n')).toContain(`!${path}`);
});
