/** "What may X do on Y, and why": the gate's own verdict about someone who is not asking. */
import type { Queryable } from '../db/database.ts';
import { AccountError } from './errors.ts';
import type { SubjectType } from './grants.ts';
import {
  ANONYMOUS,
  type Action,
  type Explanation,
  type Facts,
  type Gate,
  type Principal,
  type Target,
} from './principal.ts';
import { selectSubjectFacts } from './queries/grants.ts';

export interface Question {
  readonly action: Action;
  /** A repository's path or a project's name. */
  readonly path: string;
  readonly tag?: string;
  /** What would happen to the tag; when absent, it is made, or deleted if the action is that. */
  readonly change?: 'create' | 'overwrite' | 'delete';
}

/**
 * Answers for a subject with all that it has, as if it had signed in just now; `everyone` is who has not signed in.
 * @param subject.projectId the project whose owner asks; robots of others are unknown there
 * @throws {AccountError} subject-unknown
 */
export async function explainSubject(
  parts: { readonly db: Queryable; readonly gate: Gate; readonly facts: Facts },
  subject: { readonly type: SubjectType; readonly name: string; readonly projectId?: number },
  question: Question,
): Promise<Explanation> {
  const principal = await asPrincipal(parts.db, subject);
  const target = await parts.facts(question.path, principal.id);
  // By a former name, what has moved to another project is found there, and that one has other owners.
  if (subject.projectId !== undefined && target.project?.id !== subject.projectId) {
    throw new AccountError('not-found', 'That repository has moved to another project.');
  }
  return explainPrincipal(parts.gate, principal, target, question);
}

/** @param target the facts about the question's path, read for this principal */
export async function explainPrincipal(
  gate: Gate,
  principal: Principal,
  target: Target,
  { action, tag, change = action === 'delete' ? 'delete' : 'create' }: Question,
): Promise<Explanation> {
  // Of what is called so now: a former name has no rights of its own.
  const { path, project, principalEpoch } = target;
  return gate.explain(principal, action, { path, project, principalEpoch, ...(tag !== undefined && { tag, change }) });
}

async function asPrincipal(
  db: Queryable,
  { type, name, projectId }: { readonly type: SubjectType; readonly name: string; readonly projectId?: number },
): Promise<Principal> {
  if (type === 'everyone') return ANONYMOUS;
  const row = await selectSubjectFacts(db, projectId, type, name);
  if (row === undefined)
    throw new AccountError('subject-unknown', `There is no ${type.replace('_', ' ')} ${JSON.stringify(name)}.`);
  // No epoch is later: only who is disabled or over is stale.
  return { kind: type, id: row.id, name: row.name, admin: row.admin, epoch: Infinity, credential: 'password' };
}
