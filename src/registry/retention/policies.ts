/** A project's policy: shown, set, removed. */
import { recordChange, type Actor } from '../../auth/events.ts';
import type { Database, Queryable } from '../../db/database.ts';
import { deletePolicy, lockPolicy, selectPolicy, upsertPolicy } from '../queries/retention-policies.ts';
import { RetentionError } from './errors.ts';
import type { Rule } from './rule.ts';

export interface NewPolicy {
  readonly rules: readonly Rule[];
  readonly enabled: boolean;
  /** Hour of the day in UTC at which it runs; null: only when somebody starts it. */
  readonly dailyHour: number | null;
}

export interface Policy extends NewPolicy {
  readonly updatedBy: string | null;
  readonly updatedAt: Date;
}

/** Undefined when the project has none: nothing is ever deleted by rule. */
export function findPolicy(db: Queryable, projectId: number): Promise<Policy | undefined> {
  return selectPolicy(db, projectId);
}

export function missingPolicy(): RetentionError {
  return new RetentionError('policy-missing', 'The project has no retention policy; set one first.');
}

/**
 * @param expect looks at the policy as it is, under its lock; what it throws is thrown
 * @throws {RetentionError} policy-invalid
 */
export async function setPolicy(
  db: Database,
  projectId: number,
  policy: NewPolicy,
  actor: Actor,
  expect: (before: Policy | undefined) => void = () => {},
): Promise<Policy> {
  // Loaded when it is wanted: reading ranges of versions takes a library that most requests do without.
  const { readyRules } = await import('./rules.ts');
  readyRules(policy.rules);
  return db.transaction(async (tx) => {
    const before = await lockPolicy(tx, projectId);
    expect(before);
    const after = await upsertPolicy(tx, projectId, policy, actor.id);
    await recordChange(tx, actor, {
      type: 'retention.policy-set',
      projectId,
      data: { before: before ? told(before) : null, after: told(after) },
    });
    return after;
  });
}

/** @throws {RetentionError} policy-missing */
export async function removePolicy(
  db: Database,
  projectId: number,
  actor: Actor,
  expect: (before: Policy) => void = () => {},
): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await lockPolicy(tx, projectId);
    if (!before) throw missingPolicy();
    expect(before);
    await deletePolicy(tx, projectId);
    await recordChange(tx, actor, { type: 'retention.policy-removed', projectId, data: { before: told(before) } });
  });
}

function told({ rules, enabled, dailyHour }: NewPolicy) {
  return { rules, enabled, daily_hour: dailyHour };
}
