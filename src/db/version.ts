import sql from 'sql-template-tag';
import type { Queryable } from './database.ts';

/** Of the server, for people and as `server_version_num`: 150004 is 15.4. */
export async function serverVersion(db: Queryable): Promise<{ version: string; number: number }> {
  const [row] = await db.query<{ version: string; number: number }>(
    sql`select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
  );
  if (row === undefined) throw new Error('Postgres did not say its version');
  return row;
}
