/** Tokens of builds, as they come from an issuer: as Bearer, or as the password beside any user name. */
import type { Database } from '../db/database.ts';
import { mismatches } from './ci-claims.ts';
import { openSession } from './ci-sessions.ts';
import {
  decodeToken,
  LEEWAY_SECONDS,
  isForeignJwt,
  TokenFault,
  verifyToken,
  type DecodedToken,
  type TokenClaims,
} from './ci-tokens.ts';
import { InvalidCredentials } from './errors.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Action } from './principal.ts';
import { selectTokenSessions, type CiLoginRow } from './queries/ci-sessions.ts';
import { selectIssuerByUrl, type IssuerRow } from './queries/issuers.ts';
import { selectCandidates, type TrustRuleRow } from './queries/trust-rules.ts';
import { tokenIn, type Verifier } from './verifier.ts';

/** Builds move artifacts; they give no rights, and make no tokens that outlive them. */
const ACTIONS: readonly Action[] = ['pull', 'push', 'delete'];

/**
 * The user name may choose the rule: `<project>/<name>` only that one, `<name>` the first that is called so; any other leaves it to the
 * first rule that fits, in the order in which they were made.
 * @param origins public URLs of the hub: what they have issued is no CI token
 */
export function ciVerifier(
  db: Database,
  keys: IssuerKeys,
  origins: readonly string[],
  now: () => number = () => Date.now(),
): Verifier {
  async function verified(issuer: IssuerRow, token: DecodedToken): Promise<TokenClaims> {
    try {
      return await verifyToken(keys, issuer, token, now());
    } catch (error) {
      if (error instanceof TokenFault) throw new InvalidCredentials(error);
      throw error;
    }
  }

  async function ruleFor(issuer: IssuerRow, token: DecodedToken, claims: TokenClaims, username: string) {
    const subject = isSubject(username) ? username : undefined;
    const rules = await selectCandidates(db, issuer.id, token.audiences, subject);
    const meant = rules.filter(({ name }) => name === username);
    return (meant.length > 0 ? meant : rules).find((rule) => mismatches(rule.claims, claims).length === 0);
  }

  async function sessionFor(token: DecodedToken, username: string): Promise<CiLoginRow> {
    const issuer = await selectIssuerByUrl(db, token.issuer);
    if (issuer === undefined) throw new InvalidCredentials();
    const open = await selectTokenSessions(db, token.hash);
    const meant = open.find((session) => session.name === username);
    if (meant !== undefined) return meant;
    const over = (token.expires + LEEWAY_SECONDS) * 1000 <= now();
    const first = open.find((session) => ruleName(session) === username) ?? open[0];
    if (over && first !== undefined && !isSubject(username)) return first;
    const proven = open.some((session) => !session.revoked);
    const claims = proven ? token.claims : await verified(issuer, token);
    const rule: TrustRuleRow | undefined = await ruleFor(issuer, token, claims, username);
    if (rule === undefined) throw new InvalidCredentials();
    const there = open.find((session) => session.ruleId === rule.id);
    if (there !== undefined) return there;
    // A session proves what the token says, not that the token is still good: two rules must not keep it alive in turns.
    return openSession(db, rule, token, proven ? await verified(issuer, token) : claims);
  }

  return {
    recognises(credentials) {
      const { token } = tokenIn(credentials);
      return isForeignJwt(token) && !origins.includes(decodeToken(token)?.issuer ?? '');
    },
    async check(credentials) {
      const given = tokenIn(credentials);
      const token = decodeToken(given.token);
      if (token === undefined) throw new InvalidCredentials();
      const { id, name, epoch, revoked, expiresInMs } = await sessionFor(token, given.username.toLowerCase());
      if (revoked) throw new InvalidCredentials();
      return {
        principal: {
          kind: 'ci_session',
          id,
          name,
          admin: false,
          epoch,
          credential: 'ci',
          credentialId: id,
          expiresAt: now() + expiresInMs,
          limits: { actions: ACTIONS },
        },
      };
    },
  };
}

/** A user name that means one rule and no other; people's have no slash. */
function isSubject(username: string): boolean {
  return username.includes('/');
}

/** Without its project. */
function ruleName({ name }: CiLoginRow): string {
  return name.slice(name.indexOf('/') + 1);
}
