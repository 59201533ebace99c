/**
 * One Postgres for the whole test run, with a migrated template database that every test file clones.
 * vitest's globalSetup. BERTH_TEST_DATABASE_URL (a role that may create databases) uses a running server instead.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { chooseAccount, run } from '../../src/db/embedded/account.ts';
import { findPrograms } from '../../src/db/embedded/programs.ts';
import { migrateAll } from '../../src/jobs/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connects to the server's maintenance database. */
    serverUrl: string;
    /** Name of the database to clone. */
    templateDatabase: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env['BERTH_TEST_DATABASE_URL'];
  const server = external === undefined ? await startServer() : { url: external, stop: async () => {} };
  const template = `berth_template_${randomBytes(6).toString('hex')}`;
  try {
    await admin(server.url, `create database ${template}`);
    const pool = new pg.Pool({ connectionString: inDatabase(server.url, template), max: 1 });
    pool.on('error', () => {});
    try {
      await migrateAll(pool);
    } finally {
      await pool.end();
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('serverUrl', server.url);
  project.provide('templateDatabase', template);
  return async () => {
    if (external !== undefined) await admin(server.url, `drop database if exists ${template} with (force)`);
    await server.stop();
  };
}

/** The same server, another database. */
export function inDatabase(url: string, name: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/?]*)(?:\/[^?]*)?/, `$1/${name}`);
}

/** One statement outside any transaction, on a connection of its own. */
export async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const { folder: programs } = await findPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'berth-pg-'));
  const data = join(folder, 'data');
  const account = chooseAccount(data);
  if (account.kind === 'other') await chown(folder, account.uid, account.gid);
  const cluster = ['-D', data, '-U', 'berth', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const [status] = (await once(
    run(account, join(programs, 'bin', 'initdb'), cluster, { stdio: ['ignore', 'ignore', 'inherit'] }),
    'exit',
  )) as [number | null];
  if (status !== 0) throw new Error(`initdb ended with ${status}`);
  // The socket's folder is the only way in; durability is tested elsewhere, on clusters made for it.
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    max_connections: 300,
    shared_buffers: '64MB',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [program, ...args] = [...endsWithParent(), join(programs, 'bin', 'postgres'), '-D', data, ...options];
  const server = run(account, program as string, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = `postgres://berth@${encodeURIComponent(folder)}/postgres`;
  await ready(server, url);
  return {
    url,
    async stop() {
      server.kill('SIGINT');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** So that a killed test run leaves no server behind. */
function endsWithParent(): string[] {
  return process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'QUIT', '--'] : [];
}

async function ready(server: ChildProcess, url: string): Promise<void> {
  const log: string[] = [];
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`Postgres did not start:\n${log.join('')}`)));
    server.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 200) log.push(text);
      if (text.includes('ready to accept connections')) resolve();
    });
  });
  await admin(url, 'select 1');
}
