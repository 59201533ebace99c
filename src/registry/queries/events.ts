import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/** Deletes up to `limit` events that are older than 30 days and that every consumer has passed; returns how many. */
export async function deleteOldEvents(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from events where id in (
      select id from events
      where at < now() - interval '30 days'
        and id < (select coalesce(min(id), 9223372036854775807) from event_consumers where id > 0)
      order by id limit ${limit})
    returning 1 as ok`);
  return rows.length;
}
