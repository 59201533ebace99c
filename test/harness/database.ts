/** A database of one's own for each test file: a clone of the run's migrated template. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { admin, inDatabase } from './postgres.ts';

export interface TestDatabase {
  readonly db: Database;
  /** For processes and pools that connect by themselves. */
  readonly url: string;
  /** A second pool on the same database: another replica. Closed at the end of the file. */
  another(maxConnections?: number): Database;
}

/**
 * Call it at the top level of a test file or inside `describe`: `const { db } = await testDatabase();`. The database is
 * dropped after the last test; a connection that is still open then fails the file.
 */
export async function testDatabase(options: { maxConnections?: number } = {}): Promise<TestDatabase> {
  const server = inject('serverUrl');
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin(server, `create database ${name} template ${inject('templateDatabase')}`);
  const url = inDatabase(server, name);
  const pools: Database[] = [];
  const another = (maxConnections = 10): Database => {
    const database = openDatabase({
      connectionString: url,
      maxConnections,
      applicationName: 'berth-test',
      onIdleError: () => {},
    });
    pools.push(database);
    return database;
  };
  const db = another(options.maxConnections);
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
    const left = await connectionsLeft(server, name);
    await admin(server, `drop database ${name} with (force)`);
    if (left.length > 0) throw new Error(`Connections left open at the end of the file: ${left.join('; ')}`);
  });
  return { db, url, another };
}

/** Backends take a moment to see that their client has gone; what is there after two seconds is a leak. */
async function connectionsLeft(server: string, name: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    for (let attempt = 0; ; attempt++) {
      const { rows } = await client.query<{ what: string }>(
        `select application_name || ': ' || left(query, 80) as what from pg_stat_activity
         where datname = $1 and backend_type = 'client backend'`,
        [name],
      );
      if (rows.length === 0 || attempt === 100) return rows.map((row) => row.what);
      await delay(20);
    }
  } finally {
    await client.end();
  }
}
