import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface PathRuleRow {
  kind: 'immutability' | 'webhook' | 'retention';
  /** Of retention, which of the policy's rules, from 1. */
  id: number;
  /** It matches what one of them does. */
  paths: string[];
}

/** What else of a project goes by paths inside it, up to `limit` of each kind. */
export function selectPathRules(db: Queryable, projectId: number, limit: number): Promise<PathRuleRow[]> {
  return db.query<PathRuleRow>(sql`
    (select 'immutability' as kind, id, array[path_glob] as paths from immutability_rules
     where project_id = ${projectId} order by id limit ${limit})
    union all
    (select 'webhook', id, array[path_glob] from webhooks
     where project_id = ${projectId} and path_glob is not null order by id limit ${limit})
    union all
    (select 'retention', r.number, array(select jsonb_array_elements_text(r.rule -> 'paths'))
     from retention_policies p cross join jsonb_array_elements(p.rules) with ordinality r (rule, number)
     where p.project_id = ${projectId} and r.rule ? 'paths' order by r.number limit ${limit})`);
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
