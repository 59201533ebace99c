import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/**
 * Deletes up to `limit` events that are older than 30 days and that every consumer has passed; returns how many. Passed is what is
 * not after a consumer's cursor in the order that it reads in: an event of a long transaction has a low id and a late place, and a
 * consumer that has not begun has passed nothing.
 */
export async function deleteOldEvents(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from events where id in (
      select id from events
      where at < now() - interval '30 days'
        and (xid, id) <= (select c.xid, c.id from event_consumers c order by c.xid, c.id limit 1)
      order by xid, id limit ${limit})
    returning 1 as ok`);
  return rows.length;
}
