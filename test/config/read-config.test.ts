import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfig, usesDataDir } from '../../src/config.ts';
import { ConfigError } from '../../src/config/errors.ts';
import type { Environment, Flags } from '../../src/config/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(env: Environment, flags: Flags = {}): readonly string[] {
  try {
    readConfig({ env, flags });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('nothing has to be given', () => {
  const { config, secrets } = readConfig({ env: {} });
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: resolve('data'),
    publicUrls: ['http://127.0.0.1:8080', 'http://localhost:8080'],
    database: { kind: 'embedded' },
    store: { kind: 'disk', folder: resolve('data') },
    verifyReads: false,
    projectCreation: 'users',
    apiRate: 3_000,
    auditDays: 400,
    limits: { uploadIdleSeconds: 86_400, blob: 100 * 2 ** 30 },
  });
  expect(config.workers).toBeGreaterThanOrEqual(2);
  expect(secrets).toEqual({});
  expect(usesDataDir(config)).toBe(true);
});

test('flags over environment over file over default', () => {
  const path = file('order.yaml', 'port: 1\nlog_level: warn\nworkers: 3\n');
  const env = { BERTH_CONFIG: path, BERTH_PORT: '2', BERTH_LOG_LEVEL: 'debug' };
  const { config, sources } = readConfig({ env, flags: { port: '4' } });
  expect([config.port, config.logLevel, config.workers, config.host]).toEqual([4, 'debug', 3, '127.0.0.1']);
  expect(sources).toMatchObject({
    port: '--port',
    logLevel: 'BERTH_LOG_LEVEL',
    workers: `workers in ${path}`,
    host: 'default',
  });
});

describe('the file', () => {
  test('nests keys and takes lists, numbers and booleans', () => {
    const path = file(
      'nested.yaml',
      'public_url: [https://a.example, https://b.example]\nverify_reads: true\ns3:\n  bucket: b\n  region: eu-central-1\n  force_path_style: on\n',
    );
    const { config } = readConfig({ env: {}, flags: { config: path } });
    expect(config.publicUrls).toEqual(['https://a.example', 'https://b.example']);
    expect(config.verifyReads).toBe(true);
    expect(config.store).toEqual({ kind: 's3', bucket: 'b', region: 'eu-central-1', forcePathStyle: true });
  });

  test('unknown keys, broken YAML and a missing file are errors', () => {
    const path = file('typo.yaml', 's3:\n  buckt: b\n');
    expect(problemsOf({}, { config: path })).toEqual([`s3.buckt in ${path} is not a setting. Did you mean s3.bucket?`]);
    const broken = file('broken.yaml', 'a: [\n');
    expect(problemsOf({ BERTH_CONFIG: broken })[0]).toContain(`${broken} is not YAML`);
    expect(problemsOf({ BERTH_CONFIG: join(folder, 'none') })[0]).toContain('The configuration file cannot be read');
  });

  test('an empty file is no file', () => {
    expect(readConfig({ env: {}, flags: { config: file('empty.yaml', '# nothing\n') } }).config.port).toBe(8080);
  });
});

describe('the environment', () => {
  test('an unknown variable is an error that helps', () => {
    expect(problemsOf({ BERTH_PROT: '1' })).toEqual(['BERTH_PROT is not a setting. Did you mean BERTH_PORT?']);
    expect(problemsOf({ BERTH_UNHEARD_OF_THING: '1' })).toEqual(['BERTH_UNHEARD_OF_THING is not a setting.']);
  });

  test('every problem is named at once', () => {
    const env = {
      BERTH_PORT: '0',
      BERTH_WORKERS: 'many',
      BERTH_PUBLIC_URL: 'hub.example.com',
      BERTH_SESSION_IDLE: '4m',
      BERTH_TRUSTED_PROXIES: '10.0.0.0/8,proxy.example.com',
      BERTH_UPLOAD_IDLE: '1 day',
    };
    expect(problemsOf(env)).toEqual([
      'BERTH_PORT must be a whole number from 1 to 65535.',
      'BERTH_PUBLIC_URL must be a URL without a path, such as https://hub.example.com.',
      'BERTH_WORKERS must be a whole number from 1 to 64.',
      'BERTH_TRUSTED_PROXIES must be addresses or networks such as 10.0.0.5,192.168.0.0/16.',
      'BERTH_SESSION_IDLE must be at least 5m.',
      'BERTH_UPLOAD_IDLE must be a time such as 90s, 15m, 24h or 7d.',
    ]);
  });

  test('empty means not given, as compose files write it', () => {
    expect(readConfig({ env: { BERTH_PORT: '', DATABASE_URL: '', BERTH_S3_BUCKET: '' } }).config).toMatchObject({
      port: 8080,
      database: { kind: 'embedded' },
      store: { kind: 'disk' },
    });
  });

  test('what Kubernetes says about a Service called berth is no setting', () => {
    const env = {
      BERTH_SERVICE_HOST: '10.0.0.1',
      BERTH_SERVICE_PORT: '8080',
      BERTH_SERVICE_PORT_HTTP: '8080',
      BERTH_PORT: 'tcp://10.0.0.1:8080',
      BERTH_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      BERTH_PORT_8080_TCP_ADDR: '10.0.0.1',
    };
    expect(readConfig({ env }).config.port).toBe(8080);
  });
});

describe('secrets', () => {
  const masterKey = Buffer.alloc(32, 7);

  test('come from the environment or from a file, without its last line break', () => {
    const env = {
      DATABASE_URL_FILE: file('url', 'postgresql://u:p@db:5432/berth\n'),
      BERTH_ADMIN_PASSWORD_FILE: file('password', 'correct horse \n'),
      BERTH_MASTER_KEY: masterKey.toString('base64'),
    };
    const { config, secrets } = readConfig({ env });
    expect(config.database).toEqual({ kind: 'external', url: 'postgresql://u:p@db:5432/berth' });
    expect(secrets).toEqual({ adminPassword: 'correct horse ', masterKey });
  });

  test('both forms at once, an unreadable file and a bad value are errors that do not show the secret', () => {
    const both = { BERTH_ADMIN_PASSWORD: 'long enough', BERTH_ADMIN_PASSWORD_FILE: file('also', 'long enough') };
    expect(problemsOf(both)).toEqual([
      'BERTH_ADMIN_PASSWORD and BERTH_ADMIN_PASSWORD_FILE are both set; keep one of them.',
    ]);
    expect(problemsOf({ BERTH_MASTER_KEY_FILE: join(folder, 'none') })[0]).toContain(
      'BERTH_MASTER_KEY_FILE cannot be read',
    );
    expect(problemsOf({ BERTH_MASTER_KEY: 'c2hvcnQ=' })).toEqual([
      'BERTH_MASTER_KEY must be 32 bytes in base64: openssl rand -base64 32.',
    ]);
    expect(problemsOf({ DATABASE_URL: 'mysql://hidden' }).join()).not.toContain('hidden');
  });
});

describe('what has to fit together', () => {
  test.for(['0.0.0.0', '::', '192.168.1.5', 'hub.internal'])('listening on %s needs a public URL', (host) => {
    expect(problemsOf({ BERTH_HOST: host })[0]).toContain(`BERTH_PUBLIC_URL is required to listen on ${host}`);
    expect(problemsOf({ BERTH_HOST: host, BERTH_PUBLIC_URL: 'https://hub.example.com' })).toEqual([]);
  });

  test.for([
    ['127.0.0.1', '80', ['http://127.0.0.1', 'http://localhost']],
    ['127.0.0.2', '8080', ['http://127.0.0.2:8080']],
    ['localhost', '8080', ['http://127.0.0.1:8080', 'http://localhost:8080']],
    ['::1', '8080', ['http://[::1]:8080']],
  ] as const)('listening on %s:%s needs none', ([host, port, urls]) => {
    expect(readConfig({ env: { BERTH_HOST: host, BERTH_PORT: port } }).config.publicUrls).toEqual(urls);
  });

  test('S3 settings need a bucket; an endpoint of other than Amazon means paths, the region may come from AWS_REGION', () => {
    expect(problemsOf({ BERTH_S3_ENDPOINT: 'http://s3:9000' })).toEqual([
      'BERTH_S3_BUCKET is required when another S3 setting is given.',
    ]);
    const env = { BERTH_S3_BUCKET: 'b', BERTH_S3_ENDPOINT: 'http://s3:9000', AWS_REGION: 'eu-west-1' };
    expect(readConfig({ env }).config.store).toEqual({
      kind: 's3',
      bucket: 'b',
      region: 'eu-west-1',
      endpoint: 'http://s3:9000',
      forcePathStyle: true,
    });
    expect(readConfig({ env: { BERTH_S3_BUCKET: 'b' } }).config.store).toMatchObject({ forcePathStyle: false });
  });
});
