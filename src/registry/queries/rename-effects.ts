import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface LimitedTokenRow {
  id: number;
  name: string;
  owner: number;
  paths: string[];
}

/** Tokens that hold and are limited to paths, by id. */
export function selectLimitedTokens(db: Queryable, after: number, limit: number): Promise<LimitedTokenRow[]> {
  return db.query<LimitedTokenRow>(sql`
    select id, name, principal_id as owner, paths from tokens
    where id > ${after} and paths is not null and revoked_at is null and expires_at > now() order by id limit ${limit}`);
}
