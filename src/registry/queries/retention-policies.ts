import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import type { Rule } from '../retention/rule.ts';

export interface PolicyRow {
  rules: Rule[];
  enabled: boolean;
  dailyHour: number | null;
  updatedBy: string | null;
  updatedAt: Date;
}

const COLUMNS = sql`
  p.rules, p.enabled, p.daily_hour as "dailyHour", p.updated_at as "updatedAt",
  (select name from principals where id = p.updated_by) as "updatedBy"`;

export function selectPolicy(db: Queryable, projectId: number): Promise<PolicyRow | undefined> {
  return db.first<PolicyRow>(sql`select ${COLUMNS} from retention_policies p where p.project_id = ${projectId}`);
}

export function lockPolicy(tx: Transaction, projectId: number): Promise<PolicyRow | undefined> {
  return tx.first<PolicyRow>(sql`
    select ${COLUMNS} from retention_policies p where p.project_id = ${projectId} for update`);
}

export async function upsertPolicy(
  tx: Transaction,
  projectId: number,
  policy: { rules: readonly Rule[]; enabled: boolean; dailyHour: number | null },
  actorId: number,
): Promise<PolicyRow> {
  const row = await tx.first<PolicyRow>(sql`
    insert into retention_policies as p (project_id, rules, enabled, daily_hour, updated_by)
    values (${projectId}, ${JSON.stringify(policy.rules)}, ${policy.enabled}, ${policy.dailyHour}, ${actorId || null})
    on conflict (project_id) do update
      set rules = excluded.rules, enabled = excluded.enabled, daily_hour = excluded.daily_hour,
          updated_by = excluded.updated_by, updated_at = now(), epoch = p.epoch + 1
    returning ${COLUMNS}`);
  return row!;
}

export async function deletePolicy(tx: Transaction, projectId: number): Promise<void> {
  await tx.query(sql`delete from retention_policies where project_id = ${projectId}`);
}

/** Switches the daily run off; returns whether it was on. */
export async function pausePolicy(tx: Transaction, projectId: number): Promise<boolean> {
  const row = await tx.first(sql`
    update retention_policies set enabled = false, updated_at = now(), epoch = epoch + 1
    where project_id = ${projectId} and enabled and daily_hour is not null returning 1 as ok`);
  return row !== undefined;
}

/**
 * Takes a project whose daily hour has passed since its last daily run, or since its policy was made; the row is locked and
 * noted as done. Undefined when there is none, or others are at it.
 */
export function takeDuePolicy(tx: Transaction): Promise<{ projectId: number; rules: Rule[] } | undefined> {
  return tx.first<{ projectId: number; rules: Rule[] }>(sql`
    update retention_policies set scheduled_at = now()
    where project_id = (
      select project_id from (
        select p.project_id, coalesce(p.scheduled_at, p.updated_at) as last,
               date_trunc('day', now() at time zone 'utc') + make_interval(hours => p.daily_hour) as today
        from retention_policies p
        where p.enabled and p.daily_hour is not null
          and not exists (select from retention_runs r
                          where r.project_id = p.project_id and r.state in ('waiting', 'running', 'undoing'))
        for update of p skip locked
      ) due
      where last at time zone 'utc' < case when today <= now() at time zone 'utc' then today else today - interval '1 day' end
      limit 1)
    returning project_id as "projectId", rules`);
}
