/** Shapes of issuers, trust rules and the sessions of builds. */
import { z } from 'zod';
import type { CiSession } from '../auth/ci-sessions.ts';
import { ISSUER_KINDS, type Issuer, type IssuerKind } from '../auth/issuers.ts';
import type { TokenCheck } from '../auth/trust-check.ts';
import { hintsOf, LONGEST_MINUTES, type TrustRule } from '../auth/trust-rules.ts';
import { certificate, url } from './provider-shapes.ts';
import { id, text, time } from './shapes.ts';

const kind = z
  .enum(ISSUER_KINDS)
  .describe(
    'Which claims say whose build it is: public issuers sign for everybody, so rules have to bind one of them.',
  );
const jwks = z
  .object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) })
  .describe('Public keys (RFC 7517), where the issuer cannot be asked. Only members of public keys are kept.');
const trust = {
  http: z.boolean().optional().describe('It may be asked unencrypted.'),
  private_addresses: z.boolean().optional().describe('It may be asked at private addresses.'),
};

export const newIssuer = z.strictObject({
  name: text(64).describe('Lower-case letters and digits, with single . _ or - between them.'),
  url: url('https:', 'http:').describe('The claim iss of its tokens, letter by letter.'),
  kind: kind.default('generic'),
  jwks: jwks.optional(),
  ca: certificate.optional(),
  ...trust,
});
export const issuerChange = z.strictObject({
  jwks: jwks.optional(),
  ca: certificate.nullable().optional(),
  disabled: z.boolean().optional(),
  ...trust,
});
export const issuer = z.object({
  name: z.string(),
  url: z.string(),
  kind,
  pasted: z.boolean().describe('Its keys were pasted; it is never asked.'),
  http: z.boolean(),
  private_addresses: z.boolean(),
  ca: z.string().optional(),
  kids: z.array(z.string()).describe('Names of the keys that are believed now.'),
  keys_at: time.describe('When the keys were fetched or pasted.'),
  disabled: z.boolean(),
  created_at: time,
});
export const projectIssuer = issuer.pick({ name: true, url: true, kind: true, disabled: true });

const claims = z
  .record(text(128), text(256))
  .describe(
    'Claim and glob; all have to match. * stays within a segment, ** crosses slashes; /a/b reaches into claims.',
  );
const audience = text(500).describe('What the claim aud has to be, or has to hold.');
const minutes = z.int().min(1).max(LONGEST_MINUTES);

export const newRule = z.strictObject({
  name: text(64).describe('Lower-case letters and digits, with single . _ or - between them.'),
  issuer: text(64),
  audience,
  claims,
  session_minutes: minutes.optional().describe('How long a token goes on working after its first use; 60 when absent.'),
});
export const ruleChange = z.strictObject({
  audience: audience.optional(),
  claims: claims.optional(),
  session_minutes: minutes.optional(),
  disabled: z.boolean().optional(),
});
export const rule = z.object({
  name: z.string(),
  subject: z
    .string()
    .describe('What grants call it, with subject_type trust_rule; also the user name that chooses it.'),
  issuer: z.string(),
  audience: z.string(),
  claims: z.record(z.string(), z.string()),
  session_minutes: z.int(),
  disabled: z.boolean(),
  hints: z.array(z.string()).describe('What is often meant otherwise.'),
  created_at: time,
});

export const pastedToken = z.strictObject({ token: z.string().min(1).max(16_384) });
const shownClaims = z.record(z.string(), z.unknown());
export const check = z.object({
  valid: z.boolean().describe('Signed by a registered issuer, and good right now.'),
  reason: z.string().optional().describe('Why it is not.'),
  issuer: z.string().optional(),
  claims: shownClaims.describe('Well-known ones, and those that rules are about; not to be believed unless valid.'),
  rules: z.array(z.object({ rule: z.string(), matches: z.boolean(), reasons: z.array(z.string()) })),
});

export const ciSession = z.object({
  id,
  rule: z.string(),
  issuer: z.string(),
  claims: shownClaims.describe('Of the token that opened it.'),
  opened_at: time,
  expires_at: time,
  revoked_at: time.optional(),
});

export const showIssuer = (row: Issuer): z.input<typeof issuer> => ({
  name: row.name,
  url: row.url,
  kind: row.kind as IssuerKind,
  pasted: row.pasted,
  http: row.http,
  private_addresses: row.privateAddresses,
  ...(row.ca !== null && { ca: row.ca }),
  kids: row.keys.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])),
  keys_at: row.keysAt.toISOString(),
  disabled: row.disabled,
  created_at: row.createdAt.toISOString(),
});

export const showProjectIssuer = (row: Issuer): z.input<typeof projectIssuer> => ({
  name: row.name,
  url: row.url,
  kind: row.kind as IssuerKind,
  disabled: row.disabled,
});

export const showRule = (row: TrustRule): z.input<typeof rule> => ({
  name: row.name,
  subject: row.subject,
  issuer: row.issuer,
  audience: row.audience,
  claims: row.claims,
  session_minutes: row.sessionMinutes,
  disabled: row.disabled,
  hints: hintsOf(row),
  created_at: row.createdAt.toISOString(),
});

export const showCheck = ({ claims: found, rules, ...rest }: TokenCheck): z.input<typeof check> => ({
  ...rest,
  claims: { ...found },
  rules: rules.map(({ reasons, ...each }) => ({ ...each, reasons: [...reasons] })),
});

export const showCiSession = (row: CiSession): z.input<typeof ciSession> => ({
  id: String(row.id),
  rule: row.rule,
  issuer: row.issuer,
  claims: row.claims,
  opened_at: row.openedAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
  ...(row.revokedAt !== null && { revoked_at: row.revokedAt.toISOString() }),
});
