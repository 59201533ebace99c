/**
 * CI sessions: what the first valid use of a build's token opens, since such tokens live for minutes and clients send the same one for
 * as long as they run. One for each rule and token; it ends by itself, or when somebody revokes it, and then for good.
 */
import type { Database, Queryable } from '../db/database.ts';
import { shownClaims } from './ci-claims.ts';
import type { DecodedToken, TokenClaims } from './ci-tokens.ts';
import { AccountError, InvalidCredentials, TooManyAttempts } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import * as rows from './queries/ci-sessions.ts';
import type { TrustRuleRow } from './queries/trust-rules.ts';

export type CiSession = rows.CiSessionRow;

const MOST_OPEN = 10_000;
const FULL_SECONDS = 60;
const PRUNED_AT_ONCE = 1_000;

/**
 * The session of a checked token whose claims fit the rule: the one there is, or a new one.
 * @throws {InvalidCredentials} when it was revoked, or the rule has changed since it was read
 * @throws {TooManyAttempts} when too many are open
 */
export async function openSession(
  db: Database,
  rule: TrustRuleRow,
  token: DecodedToken,
  claims: TokenClaims,
): Promise<rows.CiLoginRow> {
  return db.transaction(async (tx) => {
    const locked = await rows.lockForSession(tx, rule.id, MOST_OPEN);
    if (locked?.epoch !== rule.epoch) throw new InvalidCredentials();
    const known = await rows.findByClaims(tx, rule.id, token.signedHash);
    if (known?.revoked) throw new InvalidCredentials();
    if (known !== undefined && known.expiresInMs > 0) return known;
    if (locked.open >= MOST_OPEN) throw new TooManyAttempts(FULL_SECONDS);
    const shown = shownClaims(claims, rule.claims);
    const session =
      known === undefined
        ? await rows.insertSession(tx, {
            ruleId: rule.id,
            // Names of principals are unique.
            name: `${rule.subject}:${token.signedHash.toString('hex')}`,
            minutes: rule.sessionMinutes,
            tokenHash: token.hash,
            claimsHash: token.signedHash,
            claims: shown,
            tokenExpiresAt: new Date(token.expires * 1000),
          })
        : await rows.renewSession(tx, known.id, rule.sessionMinutes);
    await recordChange(
      tx,
      { id: session.id },
      {
        type: 'ci.session_opened',
        projectId: rule.projectId,
        data: { session: String(session.id), rule: rule.subject, issuer: rule.issuer, claims: shown },
      },
    );
    return session;
  });
}

/** Newest first, those that are over included; they are kept for a week. */
export function listSessions(
  db: Queryable,
  projectId: number,
  page: { readonly before?: number; readonly limit: number },
): Promise<CiSession[]> {
  return rows.selectSessions(db, projectId, page.before, page.limit);
}

/**
 * Ends it from the next request on; its token opens no other under the same rule.
 * @throws {AccountError} not-found, also for a session of another project
 */
export async function revokeSession(db: Database, projectId: number, id: number, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const revoked = await rows.revokeSession(tx, projectId, id);
    if (revoked === undefined) throw new AccountError('not-found', 'The project has no such session that is open.');
    await recordChange(tx, actor, {
      type: 'ci.session_revoked',
      projectId,
      data: { session: String(id), rule: revoked.name },
    });
  });
}

/** What was over a week ago. */
export async function pruneCiSessions(db: Database): Promise<void> {
  while ((await rows.deleteOldSessions(db, PRUNED_AT_ONCE)) === PRUNED_AT_ONCE);
}
