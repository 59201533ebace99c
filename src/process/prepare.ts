/** What has to be there before anything is served: the schema, the store's mark, the first administrator. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrapAdmin } from '../auth/accounts.ts';
import { checkInstance } from '../blobs/instance.ts';
import { openStore } from '../blobs/open.ts';
import { anyBlob } from '../blobs/queries.ts';
import { type Config, type Secrets, usesDataDir } from '../config.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { DatabaseUnavailable, translate } from '../db/errors.ts';
import { migrateAll } from '../jobs/migrate.ts';
import { createLog, type Log } from '../log.ts';
import { freeCollection } from '../registry/queries/gc-run.ts';
import { freeClaims } from '../registry/queries/uploads.ts';
import { freeDeliveries } from '../registry/queries/webhook-deliveries.ts';

const PATIENCE_MS = 60_000;

/**
 * Waits for Postgres, migrates it, marks the store and makes the first administrator.
 * Returns that one's password when it was made here, to be shown once.
 */
export function prepareDatabase(
  config: Config,
  secrets: Pick<Secrets, 'adminPassword'>,
): Promise<{ password?: string }> {
  return withMigrated(config, async (db) => {
    // The lock on the data folder proves that no other hub is alive.
    if (usesDataDir(config)) {
      await freeClaims(db);
      await freeCollection(db);
      await freeDeliveries(db);
    }
    // Here and not only in each worker, since two of them would mark a new store at once.
    const { store } = await openStore(config.store);
    await checkInstance(db, store, await anyBlob(db));
    await store[Symbol.asyncDispose]();
    const given = secrets.adminPassword === undefined ? {} : { password: secrets.adminPassword };
    const { password } = await bootstrapAdmin(db, given);
    return password === undefined ? {} : { password };
  });
}

/** Waits for Postgres, migrates it, and does something in it. `config.database` says where it is. */
export async function withMigrated<T>(config: Config, work: (db: Database) => Promise<T>): Promise<T> {
  if (config.database.kind !== 'external') throw new Error('The embedded Postgres has to be started first');
  const log = createLog(config.logLevel, 'prepare');
  const db = openDatabase({
    connectionString: config.database.url,
    maxConnections: 2,
    applicationName: 'berth prepare',
    onIdleError: () => {},
  });
  try {
    await waitFor(() => db.pool.query('select 1'), log);
    const applied = await migrateAll(db.pool);
    if (applied.length > 0) log.info({ applied }, 'the schema is up to date');
    return await work(db);
  } finally {
    await db[Symbol.asyncDispose]();
  }
}

/** An orchestrator may start the hub before its Postgres. */
async function waitFor(attempt: () => Promise<unknown>, log: Log): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(translate(error) instanceof DatabaseUnavailable) || performance.now() > deadline) throw error;
      log.warn({ reason: (error as Error).message }, 'waiting for Postgres');
      await sleep(pause);
    }
  }
}
