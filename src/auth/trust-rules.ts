/**
 * Trust rules: which builds a project lets in. A rule is a subject of grants, named `<project>/<name>`; it cannot sign in itself,
 * its CI sessions do, with its rights.
 */
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { hintsFor, whyNotClaims, type ClaimGlobs } from './ci-claims.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import type { IssuerKind } from './issuers.ts';
import { isAccountName } from './names.ts';
import { lockIssuer } from './queries/issuers.ts';
import * as rows from './queries/trust-rules.ts';

export type TrustRule = rows.TrustRuleRow;

/** Where a rule belongs. */
export interface RuleHome {
  readonly projectId: number;
  readonly project: string;
}

export interface RuleRequest {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claims: ClaimGlobs;
  readonly sessionMinutes?: number;
}

export interface RuleChange {
  readonly audience?: string;
  readonly claims?: ClaimGlobs;
  readonly sessionMinutes?: number;
  readonly disabled?: boolean;
}

const MOST_RULES = 100;
const DEFAULT_MINUTES = 60;
export const LONGEST_MINUTES = 360;

/** @throws {AccountError} name-invalid, name-taken, subject-unknown for the issuer, rule-invalid */
export async function createRule(db: Database, home: RuleHome, request: RuleRequest, actor: Actor): Promise<TrustRule> {
  const { name, audience, claims, sessionMinutes = DEFAULT_MINUTES } = request;
  if (!isAccountName(name) || name === 'check') {
    throw new AccountError(
      'name-invalid',
      'A rule is named with at most 64 lower-case letters and digits, with single . _ or - between them, and not check.',
    );
  }
  return db.transaction(async (tx) => {
    const issuer = await lockIssuer(tx, request.issuer);
    if (issuer === undefined) {
      throw new AccountError('subject-unknown', `There is no issuer ${JSON.stringify(request.issuer)}.`);
    }
    requireValid({ audience, claims, sessionMinutes }, issuer.kind);
    if ((await rows.countRules(tx, home.projectId)) >= MOST_RULES) {
      throw new AccountError('rule-invalid', `A project has at most ${MOST_RULES} trust rules.`);
    }
    const subject = `${home.project}/${name}`;
    const rule = { projectId: home.projectId, issuerId: issuer.id, name, subject, audience, claims, sessionMinutes };
    const id = await rows.insertRule(tx, rule);
    if (id === undefined) throw new AccountError('name-taken', `There is a trust rule ${name} already.`);
    const made = (await rows.selectRule(tx, home.projectId, name)) as TrustRule;
    await record(tx, actor, home, 'trust_rule.created', describe(made));
    return made;
  });
}

/** By name, in byte order. */
export function listRules(
  db: Queryable,
  projectId: number,
  page: { readonly after?: string; readonly limit: number },
): Promise<TrustRule[]> {
  return rows.selectRules(db, projectId, page.after, page.limit);
}

export function findRule(db: Queryable, projectId: number, name: string): Promise<TrustRule | undefined> {
  return rows.selectRule(db, projectId, name);
}

/**
 * Ends the rule's sessions: builds whose tokens are still good, and fit what the rule says now, open new ones.
 * @param expect looks at the rule as it is, under its lock; what it throws is thrown
 * @throws {AccountError} not-found, rule-invalid
 */
export async function changeRule(
  db: Database,
  home: RuleHome,
  name: string,
  change: RuleChange,
  actor: Actor,
  expect: (before: TrustRule) => void = () => {},
): Promise<TrustRule> {
  return db.transaction(async (tx) => {
    const before = await lockRule(tx, home, name);
    expect(before);
    const after = {
      audience: change.audience ?? before.audience,
      claims: change.claims ?? before.claims,
      sessionMinutes: change.sessionMinutes ?? before.sessionMinutes,
      disabled: change.disabled ?? before.disabled,
    };
    requireValid(after, before.issuerKind);
    await rows.updateRule(tx, before.id, after);
    const changed = (await rows.selectRule(tx, home.projectId, name)) as TrustRule;
    await record(tx, actor, home, 'trust_rule.updated', { before: describe(before), after: describe(changed) });
    return changed;
  });
}

/**
 * Removes the rule with its sessions and grants. A new one of the same name starts with nothing.
 * @throws {AccountError} not-found
 */
export async function removeRule(db: Database, home: RuleHome, name: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const rule = await lockRule(tx, home, name);
    await rows.deleteRules(tx, [rule.id]);
    await record(tx, actor, home, 'trust_rule.removed', describe(rule));
  });
}

/** When a project goes; in its transaction. */
export async function removeRulesOf(tx: Transaction, projectId: number): Promise<void> {
  await rows.deleteRules(tx, await rows.selectRuleIds(tx, projectId));
}

/** What is often meant otherwise. */
export function hintsOf({ claims, issuerKind }: TrustRule): string[] {
  return hintsFor(claims, issuerKind as IssuerKind);
}

async function lockRule(tx: Transaction, home: RuleHome, name: string): Promise<TrustRule> {
  const rule = await rows.lockRule(tx, home.projectId, name);
  if (rule === undefined) throw new AccountError('not-found', `There is no trust rule ${name}.`);
  return rule;
}

/** @throws {AccountError} rule-invalid */
function requireValid(
  rule: { readonly audience: string; readonly claims: ClaimGlobs; readonly sessionMinutes: number },
  kind: string,
): void {
  const { audience, claims, sessionMinutes } = rule;
  const why =
    whyNotClaims(claims, kind as IssuerKind) ??
    (audience === '' ? 'A rule names the audience that tokens have to be for.' : undefined) ??
    (Number.isInteger(sessionMinutes) && sessionMinutes >= 1 && sessionMinutes <= LONGEST_MINUTES
      ? undefined
      : `A session lasts 1 to ${LONGEST_MINUTES} minutes.`);
  if (why !== undefined) throw new AccountError('rule-invalid', why);
}

function record(
  tx: Transaction,
  actor: Actor,
  home: RuleHome,
  type: string,
  data: Record<string, unknown>,
): Promise<void> {
  return recordChange(tx, actor, { type, projectId: home.projectId, data });
}

function describe({ subject, issuer, audience, claims, sessionMinutes, disabled }: TrustRule) {
  return { rule: subject, issuer, audience, claims, session_minutes: sessionMinutes, disabled };
}
