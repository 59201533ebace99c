import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

/** The same as in `guard_tags` (migration 0019). */
const GUARD = 1_650_815_491;

/**
 * Whether the repository's project has rules. None comes or goes until the transaction ends: who makes one waits for those
 * who have asked, and who asks waits for one that is being made.
 */
export async function guardTags(tx: Transaction, repositoryId: number): Promise<boolean> {
  const row = await tx.first<{ ruled: boolean }>(sql`select guard_tags(${repositoryId}) as ruled`);
  return row?.ruled ?? false;
}

/** Waits for everyone who moves a tag of the project, and keeps the next ones waiting until the transaction ends. */
export async function lockRules(tx: Transaction, projectId: number): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(${GUARD}::int, (${projectId}::bigint % 2147483647)::int)`);
}

export interface RuleRow {
  id: number;
  pathGlob: string;
  tagGlob: string;
  tagExcept: string | null;
  createdBy: string | null;
  createdAt: Date;
}

const COLUMNS = sql`
  i.id, i.path_glob as "pathGlob", i.tag_glob as "tagGlob", i.tag_except as "tagExcept", i.created_at as "createdAt",
  (select name from principals where id = i.created_by) as "createdBy"`;

/** Of the project that the repository is in now, with the path that it has now. */
export function selectRulesOfRepository(db: Queryable, repositoryId: number): Promise<(RuleRow & { path: string })[]> {
  return db.query(sql`
    select ${COLUMNS}, ${PATH} as path
    from repositories r join immutability_rules i on i.project_id = r.project_id where r.id = ${repositoryId} order by i.id`);
}

export function selectRules(db: Queryable, projectId: number, after = 0, limit = 1_000): Promise<RuleRow[]> {
  return db.query<RuleRow>(sql`
    select ${COLUMNS} from immutability_rules i where i.project_id = ${projectId} and i.id > ${after}
    order by i.id limit ${limit}`);
}

export async function countRules(db: Queryable, projectId: number): Promise<number> {
  const row = await db.first<{ n: number }>(sql`
    select count(*) as n from immutability_rules where project_id = ${projectId}`);
  return row?.n ?? 0;
}

/** Undefined when there is the same one already. */
export function insertRule(
  tx: Transaction,
  rule: { projectId: number; pathGlob: string; tagGlob: string; tagExcept: string | null; createdBy: number },
): Promise<RuleRow | undefined> {
  return tx.first<RuleRow>(sql`
    insert into immutability_rules as i (project_id, path_glob, tag_glob, tag_except, created_by)
    values (${rule.projectId}, ${rule.pathGlob}, ${rule.tagGlob}, ${rule.tagExcept}, ${rule.createdBy || null})
    on conflict do nothing returning ${COLUMNS}`);
}

export function deleteRule(tx: Transaction, projectId: number, id: number): Promise<RuleRow | undefined> {
  return tx.first<RuleRow>(sql`
    delete from immutability_rules i where i.project_id = ${projectId} and i.id = ${id} returning ${COLUMNS}`);
}

/** Says in the project's row whether it has rules; its epoch rises. */
export async function noteRules(tx: Transaction, projectId: number): Promise<void> {
  await tx.query(sql`
    update projects
    set epoch = epoch + 1, has_immutability = exists (select from immutability_rules where project_id = ${projectId})
    where id = ${projectId}`);
}

/** What the tag said last, before it was deleted; undefined when it never was. */
export async function selectLastDigest(db: Queryable, repositoryId: number, tag: string): Promise<Buffer | undefined> {
  const row = await db.first<{ digest: Buffer | null }>(sql`
    select coalesce(new_digest, old_digest) as digest from tag_history
    where repository_id = ${repositoryId} and name = ${tag} order by id desc limit 1`);
  return row?.digest ?? undefined;
}
