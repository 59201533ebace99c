import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface PathRuleRow {
  kind: 'immutability' | 'webhook';
  id: number;
  pathGlob: string;
}

/** What else of a project goes by paths inside it, up to `limit` of each kind. */
export function selectPathRules(db: Queryable, projectId: number, limit: number): Promise<PathRuleRow[]> {
  return db.query<PathRuleRow>(sql`
    (select 'immutability' as kind, id, path_glob as "pathGlob" from immutability_rules
     where project_id = ${projectId} order by id limit ${limit})
    union all
    (select 'webhook', id, path_glob from webhooks
     where project_id = ${projectId} and path_glob is not null order by id limit ${limit})`);
}

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
