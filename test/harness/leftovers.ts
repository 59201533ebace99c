/** What a hub must not leave behind when nothing is going on: judged from the rows and the store, not by asking the hub. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import sql from 'sql-template-tag';
import type { Queryable } from '../../src/db/database.ts';

/** Jobs that failed, and uploads that a writer still claims. */
export async function leftovers(db: Queryable): Promise<string[]> {
  const claims = await db.query<{ id: string }>(sql`select id::text from uploads where writer is not null`);
  const jobs = await db.query<{ what: string }>(
    sql`select task_identifier || ': ' || coalesce(last_error, '') as what from graphile_worker.jobs where last_error is not null`,
  );
  return [
    ...claims.map((row) => `upload ${row.id} is still claimed by a writer`),
    ...jobs.map((row) => `failed job ${row.what}`),
  ];
}

/** Every key in a data folder, tails included. */
export async function keysOnDisk(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'objects'), { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Objects that no row names. */
export async function withoutOwner(db: Queryable, keys: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    sql`select key from blobs union all select key from uploads union all select key from dead_objects`,
  );
  const owned = new Set(rows.map((row) => row.key));
  return keys.filter((key) => !owned.has(key.replace(/\.tail[01]$/, ''))).map((key) => `object ${key} has no owner`);
}
