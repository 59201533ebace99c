import sql from 'sql-template-tag';
import type { Queryable } from '../db/database.ts';

/**
 * Dead objects whose time has come, with the next attempt put off, so that two sweeps never work on the same ones; none while
 * somebody holds all bytes.
 */
export function takeDueObjects(db: Queryable, store: string, limit: number): Promise<{ key: string }[]> {
  return db.query<{ key: string }>(sql`
    with due as (
      select key from dead_objects
      where store = ${store} and delete_after <= now() and not exists (select from gc_holds where expires_at > now())
      order by delete_after limit ${limit} for update skip locked
    )
    update dead_objects d
    set attempts = d.attempts + 1,
        delete_after = now() + least(interval '1 minute' * power(2, least(d.attempts, 10)), interval '6 hours')
    from due where d.key = due.key returning d.key`);
}

/** The rows of objects that are gone; how many were still there, and their bytes. */
export async function forgetDeadObjects(
  db: Queryable,
  keys: readonly string[],
): Promise<{ objects: number; bytes: number }> {
  const row = await db.first<{ objects: number; bytes: number }>(sql`
    with forgotten as (delete from dead_objects where key = any (${keys}::text[]) returning size)
    select count(*) as objects, coalesce(sum(size), 0)::bigint as bytes from forgotten`);
  return row ?? { objects: 0, bytes: 0 };
}

/** The hub's id, the same in Postgres and in the store. */
export async function selectInstanceId(db: Queryable): Promise<string> {
  const row = await db.first<{ id: string }>(sql`select id from instance`);
  return (row as { id: string }).id;
}

export async function anyBlob(db: Queryable): Promise<boolean> {
  return (await db.first(sql`select 1 as ok from blobs limit 1`)) !== undefined;
}
