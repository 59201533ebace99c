/** Tokens that issuers sign for builds: taken apart without trust, and checked. */
import { createHash } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet } from 'jose';
import type { IssuerKeys } from './issuer-keys.ts';
import type { IssuerRow } from './queries/issuers.ts';
import { REGISTRY_TOKEN_TYPE } from './registry-tokens.ts';

export type TokenClaims = Readonly<Record<string, unknown>>;

/** What a token says of itself. Nothing in it is true before it was checked. */
export interface DecodedToken {
  readonly token: string;
  /** The claim `iss`. */
  readonly issuer: string;
  readonly kid: string | undefined;
  readonly audiences: readonly string[];
  /** Seconds since 1970. */
  readonly expires: number;
  readonly claims: TokenClaims;
  /** SHA-256 of the token. */
  readonly hash: Buffer;
  /** SHA-256 of what is signed: ECDSA has several signatures for the same. */
  readonly signedHash: Buffer;
}

/** Why a token is not good, for whoever writes the rule; clients never learn it. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
}

const LARGEST = 16 * 1024;
const LONGEST_URL = 500;
const MOST_AUDIENCES = 20;
export const LEEWAY_SECONDS = 60;
const OLDEST_SECONDS = 24 * 60 * 60;
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/** Undefined when it is no JWT that names an issuer; one spelling each: decoders take padding and stray bits at the end. */
export function decodeToken(token: string): DecodedToken | undefined {
  if (token.length > LARGEST) return undefined;
  const [, head, body, signature] = COMPACT.exec(token) ?? [];
  if (head === undefined || body === undefined || signature === undefined) return undefined;
  const header = objectIn(head);
  const claims = objectIn(body);
  if (header === undefined || claims === undefined || !isCanonical(signature)) return undefined;
  const { iss, aud, exp } = claims;
  if (!isText(iss, LONGEST_URL)) return undefined;
  const audiences = (Array.isArray(aud) ? aud.slice(0, MOST_AUDIENCES) : [aud]) as unknown[];
  return {
    token,
    issuer: iss,
    kid: typeof header['kid'] === 'string' ? header['kid'] : undefined,
    audiences: audiences.filter((each) => isText(each, LONGEST_URL)),
    expires: typeof exp === 'number' ? exp : 0,
    claims,
    hash: sha256(token),
    signedHash: sha256(`${head}.${body}`),
  };
}

/** Whether it is meant as a JWT of somebody else's, a good one or not: nobody's password begins with a JOSE header. */
export function isForeignJwt(token: string): boolean {
  const dot = token.indexOf('.');
  if (dot <= 0 || !token.startsWith('eyJ')) return false;
  const header = objectIn(token.slice(0, dot));
  return header?.['alg'] !== undefined && header['typ'] !== REGISTRY_TOKEN_TYPE;
}

/**
 * Only with the keys that the issuer's row holds: whatever a header brings along (jwk, jku, x5c) counts for nothing.
 * @returns the claims, true ones from here on
 * @throws {TokenFault | ProviderUnavailable}
 */
export async function verifyToken(
  keys: IssuerKeys,
  issuer: IssuerRow,
  { token, kid }: DecodedToken,
  now: number,
): Promise<TokenClaims> {
  const set = await keys.for(issuer, kid);
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(set as JSONWebKeySet), {
      algorithms: ALGORITHMS,
      issuer: issuer.url,
      requiredClaims: ['iss', 'aud', 'exp', 'iat'],
      clockTolerance: LEEWAY_SECONDS,
      maxTokenAge: OLDEST_SECONDS,
      currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) {
      throw new TokenFault(faultOf(error), { cause: error });
    }
    throw error;
  }
}

function faultOf(error: Error): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired, or was issued more than a day ago.';
  if (error instanceof errors.JWTClaimValidationFailed) return `The claim ${error.claim} is not as it has to be.`;
  if (error instanceof errors.JWKSNoMatchingKey) return 'The issuer has no key that the token names.';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'The token does not say which key of several it means.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature is not the issuer’s.';
  if (error instanceof errors.JOSEAlgNotAllowed) return `It has to be signed with ${ALGORITHMS.join(', ')}.`;
  return 'The token is malformed.';
}

function objectIn(part: string): Record<string, unknown> | undefined {
  if (!isCanonical(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest && !value.includes('\0') && value.isWellFormed();
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
