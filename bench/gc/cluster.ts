/** A scratch Postgres as a hub brings it, with a migrated database for each scale. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { migrateAll } from '../../src/jobs/migrate.ts';

export interface Cluster extends AsyncDisposable {
  readonly pid: number;
  /** URL of a new, empty, migrated database. */
  database(name: string): Promise<string>;
  drop(name: string): Promise<void>;
}

export async function startCluster(parent: string): Promise<Cluster> {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(path.join(parent, 'berth-gc-'));
  const log = { info: () => {}, error: (fields: object, message: string) => console.error(message, fields) };
  const postgres = await startEmbeddedPostgres({
    folder: path.join(folder, 'postgres'),
    log,
    // Loading writes far more than a hub does; the rest is as a hub has it.
    settings: { max_wal_size: '4GB', log_min_duration_statement: '-1', wal_level: 'minimal', max_wal_senders: '0' },
  });
  const url = (name: string): string => postgres.url.replace(/\/berth(\?|$)/, `/${name}$1`);
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  return {
    pid: postgres.pid,
    async database(name) {
      await admin(`create database ${name}`);
      const pool = new pg.Pool({ connectionString: url(name), max: 1 });
      pool.on('error', () => {});
      try {
        await migrateAll(pool);
      } finally {
        await pool.end();
      }
      return url(name);
    },
    drop: (name) => admin(`drop database ${name} with (force)`),
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
