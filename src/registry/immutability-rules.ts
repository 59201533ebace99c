/** Rules on immutable tags: listed, made, removed by owners. */
import { AccountError } from '../auth/errors.ts';
import { recordChange, type Actor } from '../auth/events.ts';
import { isPathGlob, isTagGlob } from '../auth/glob.ts';
import type { Database, Queryable } from '../db/database.ts';
import * as rows from './queries/immutability.ts';

export type Rule = Readonly<rows.RuleRow>;

export interface NewRule {
  readonly pathGlob: string;
  readonly tagGlob: string;
  readonly tagExcept: string | null;
}

/** Of one project: each is matched against every tag that moves in it. */
const MAX_RULES = 100;

/** In the order they were made. */
export function listRules(
  db: Queryable,
  projectId: number,
  page: { readonly after: number; readonly limit: number },
): Promise<Rule[]> {
  return rows.selectRules(db, projectId, page.after, page.limit);
}

/**
 * Makes a rule. It waits for pushes under way, so that once it is there no tag that matches moves any more. Tags are not
 * asked whether they have moved before.
 * @throws {AccountError} glob-invalid, name-taken for one that is there already
 */
export async function createRule(db: Database, projectId: number, rule: NewRule, actor: Actor): Promise<Rule> {
  if (!isPathGlob(rule.pathGlob)) throw invalid(rule.pathGlob, 'a path with * or **');
  for (const glob of [rule.tagGlob, ...(rule.tagExcept === null ? [] : [rule.tagExcept])]) {
    if (!isTagGlob(glob)) throw invalid(glob, 'a tag with *');
  }
  return db.transaction(async (tx) => {
    await rows.lockRules(tx, projectId);
    if ((await rows.countRules(tx, projectId)) >= MAX_RULES) {
      throw new AccountError('in-use', `A project has at most ${MAX_RULES} rules; remove one, or widen another.`);
    }
    const made = await rows.insertRule(tx, { ...rule, projectId, createdBy: actor.id });
    if (!made) throw new AccountError('name-taken', 'The project has this rule already.');
    await rows.noteRules(tx, projectId);
    await recordChange(tx, actor, { type: 'immutability.rule_created', projectId, data: shown(made) });
    return made;
  });
}

/** @throws {AccountError} not-found, also for a rule of another project */
export async function removeRule(db: Database, projectId: number, id: number, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    await rows.lockRules(tx, projectId);
    const gone = await rows.deleteRule(tx, projectId, id);
    if (!gone) throw new AccountError('not-found', 'The project has no such rule.');
    await rows.noteRules(tx, projectId);
    await recordChange(tx, actor, { type: 'immutability.rule_removed', projectId, data: shown(gone) });
  });
}

function shown({ id, pathGlob, tagGlob, tagExcept }: Rule): Record<string, unknown> {
  return { rule: id, path_glob: pathGlob, tag_glob: tagGlob, ...(tagExcept !== null && { tag_except: tagExcept }) };
}

function invalid(glob: string, what: string): AccountError {
  return new AccountError('glob-invalid', `${JSON.stringify(glob)} is not ${what}.`);
}
