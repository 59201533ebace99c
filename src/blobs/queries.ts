import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../db/database.ts';

/**
 * Dead objects whose time has come, with the next attempt put off, so that two sweeps work on the same ones only when one takes
 * longer than a minute for them, which does no harm; none while somebody holds all bytes. `from` is where to begin, so that a long
 * sweep does not walk again over what it removed; `due` is a text, since a Date knows milliseconds only.
 */
export function takeDueObjects(
  tx: Transaction,
  due: { readonly store: string; readonly from: string; readonly limit: number },
): Promise<{ key: string; due: string }[]> {
  return tx.query<{ key: string; due: string }>(sql`
    with due as (
      select key, delete_after from dead_objects
      where store = ${due.store} and delete_after between ${due.from}::timestamptz and now()
        and not exists (select from gc_holds where expires_at > now())
      order by delete_after limit ${due.limit} for update skip locked
    )
    update dead_objects d
    set attempts = d.attempts + 1,
        delete_after = now() + least(interval '1 minute' * power(2, least(d.attempts, 10)), interval '6 hours')
    from due where d.key = due.key returning d.key, due.delete_after::text as due`);
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
