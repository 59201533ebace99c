/** The whole schema: the hub's migrations, then the job queue's own. */
import { runMigrations } from 'graphile-worker';
import type pg from 'pg';
import { migrate } from '../db/migrate.ts';
import { quietLogger } from './logger.ts';

/** Brings both up to date; returns the hub's migrations that were applied. Safe to kill and to run twice. */
export async function migrateAll(pool: pg.Pool): Promise<string[]> {
  const applied = await migrate(pool);
  await runMigrations({ pgPool: pool, logger: quietLogger });
  return applied;
}
