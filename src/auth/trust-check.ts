/** A dry run for whoever writes trust rules: what the hub would say to a token, and why. Nothing of the token is kept. */
import type { Database } from '../db/database.ts';
import { mismatches, shownClaims } from './ci-claims.ts';
import { decodeToken, TokenFault, verifyToken, type DecodedToken } from './ci-tokens.ts';
import { ProviderUnavailable } from './errors.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { selectIssuerByUrl, type IssuerRow } from './queries/issuers.ts';
import { listRules, type TrustRule } from './trust-rules.ts';

export interface TokenCheck {
  /** Signed by a registered issuer, and good at this time. */
  readonly valid: boolean;
  /** Why it is not. */
  readonly reason?: string;
  readonly issuer?: string;
  /** Well-known ones, and those that rules are about. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly rules: readonly { readonly rule: string; readonly matches: boolean; readonly reasons: readonly string[] }[];
}

const MOST_RULES = 100;

export async function checkToken(
  parts: { readonly db: Database; readonly keys: IssuerKeys },
  projectId: number,
  text: string,
  now: number = Date.now(),
): Promise<TokenCheck> {
  const token = decodeToken(text.trim());
  if (token === undefined)
    return { valid: false, reason: 'It is not a JWT that names its issuer.', claims: {}, rules: [] };
  const issuer = await selectIssuerByUrl(parts.db, token.issuer);
  const rules = await listRules(parts.db, projectId, { limit: MOST_RULES });
  const reason = await whyNot(parts.keys, issuer, token, now);
  const names = Object.assign({}, ...rules.map((rule) => rule.claims)) as Record<string, string>;
  return {
    valid: reason === undefined,
    ...(reason !== undefined && { reason }),
    ...(issuer && { issuer: issuer.name }),
    claims: shownClaims(token.claims, names),
    rules: rules.map((rule) => {
      const reasons = [...(reason === undefined ? [] : [reason]), ...obstacles(rule, issuer, token)];
      return { rule: rule.name, matches: reasons.length === 0, reasons };
    }),
  };
}

async function whyNot(keys: IssuerKeys, issuer: IssuerRow | undefined, token: DecodedToken, now: number) {
  if (issuer === undefined) return 'No issuer with the URL in its claim iss is registered here, or it is disabled.';
  try {
    await verifyToken(keys, issuer, token, now);
    return undefined;
  } catch (error) {
    if (error instanceof TokenFault) return error.message;
    if (error instanceof ProviderUnavailable) return 'The keys of the issuer are too old, and it cannot be asked.';
    throw error;
  }
}

function obstacles(rule: TrustRule, issuer: IssuerRow | undefined, token: DecodedToken): string[] {
  return [
    ...(rule.disabled ? ['The rule is disabled.'] : []),
    ...(rule.issuer === issuer?.name ? [] : [`The rule is about the issuer ${rule.issuer}.`]),
    ...(token.audiences.includes(rule.audience)
      ? []
      : [`The token is for ${JSON.stringify(token.audiences)}, the rule wants ${JSON.stringify(rule.audience)}.`]),
    ...mismatches(rule.claims, token.claims),
  ];
}
