/**
 * The JWTs that the token endpoint hands out and /v2 takes (distribution token specification, "jwt"). They say what the
 * client asked for and was granted; what the subject may do is looked up again at each request.
 */
import { randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { InvalidCredentials } from './errors.ts';
import type { KeyRing } from './keys.ts';
import { serviceOf } from './origins.ts';
import { CATALOG, type Action, type Principal } from './principal.ts';
import { ACTIONS, readClaims, type AccessEntry } from './token-claims.ts';
import { tokenIn, type Verifier } from './verifier.ts';

export type { AccessEntry } from './token-claims.ts';

export interface IssuedToken {
  readonly token: string;
  readonly expiresIn: number;
  readonly issuedAt: Date;
}

export interface RegistryTokens {
  /**
   * @param origin the public URL that issues it; its host is the audience
   * @throws {TokenTooLarge} when so much access does not fit into a header
   */
  issue(principal: Principal, access: readonly AccessEntry[], origin: string): Promise<IssuedToken>;
  /** @throws {InvalidCredentials} whatever is wrong with it */
  verify(token: string): Promise<Principal>;
}

export class TokenTooLarge extends Error {
  override readonly name = 'TokenTooLarge';
}

/** In the header of each. */
export const REGISTRY_TOKEN_TYPE = 'registry+jwt';
const LIFETIME_SECONDS = 300;
/** Between the clocks of two replicas. */
const SKEW_SECONDS = 10;
const LARGEST = 8_192;

const COMPACT = /^[\w-]+\.[\w-]+\.([\w-]+)$/;

/** @param origins public URLs of the hub: the issuers that are believed */
export function createRegistryTokens(
  keys: KeyRing,
  origins: readonly string[],
  now: () => number = () => Date.now(),
): RegistryTokens {
  const verified = new LRUCache<string, { principal: Principal; kid: string; expiresAt: number }>({
    maxSize: 16 * 2 ** 20,
    // At least what an entry takes beside its token.
    sizeCalculation: (_, token) => Math.max(token.length, 800),
  });

  return {
    async issue(principal, access, origin) {
      const issued = Math.floor(now() / 1000);
      const ends = Math.min(issued + LIFETIME_SECONDS, Math.floor((principal.expiresAt ?? Infinity) / 1000));
      const { kid, key } = await keys.signer();
      const token = await new SignJWT({
        kind: principal.kind,
        pid: principal.id,
        epoch: principal.epoch,
        admin: principal.admin,
        ...(principal.credentialId !== undefined && { cid: principal.credentialId }),
        access: access.map(({ type, name, actions }) => ({ type, name, actions })),
        ...(principal.limits && { limits: principal.limits }),
      })
        .setProtectedHeader({ alg: 'ES256', kid, typ: REGISTRY_TOKEN_TYPE })
        .setIssuer(origin)
        .setAudience(serviceOf(origin))
        .setSubject(principal.id === 0 ? '' : principal.name)
        .setIssuedAt(issued)
        .setExpirationTime(ends)
        .setJti(randomUUID())
        .sign(key);
      if (token.length > LARGEST) throw new TokenTooLarge(`A token for ${access.length} scopes is too large`);
      return { token, expiresIn: ends - issued, issuedAt: new Date(issued * 1000) };
    },

    async verify(token) {
      const known = verified.get(token);
      if (known !== undefined && keys.knows(known.kid)) {
        if (known.expiresAt > now()) return known.principal;
        throw new InvalidCredentials();
      }
      if (token.length > LARGEST || !isCompact(token)) throw new InvalidCredentials();
      const { payload, protectedHeader } = await check(token);
      const principal = read(payload, origins);
      const expiresAt = ((payload.exp as number) + SKEW_SECONDS) * 1000;
      verified.set(token, { principal, kid: protectedHeader.kid as string, expiresAt });
      return principal;
    },
  };

  async function check(token: string) {
    try {
      return await jwtVerify(token, keyFor, {
        algorithms: ['ES256'],
        issuer: [...origins],
        audience: origins.map(serviceOf),
        requiredClaims: ['sub', 'iat', 'exp'],
        maxTokenAge: LIFETIME_SECONDS,
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(now()),
      });
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) throw new InvalidCredentials(error);
      throw error;
    }
  }

  /** Only our own keys, by their id; whatever else a header brings along (jwk, jku, x5c, crit, zip) is a forgery. */
  async function keyFor(header: JWTHeaderParameters) {
    const { alg: _, kid, typ, ...rest } = header;
    if (typ !== REGISTRY_TOKEN_TYPE || typeof kid !== 'string' || Object.keys(rest).length > 0) {
      throw new InvalidCredentials();
    }
    const key = await keys.verifier(kid);
    if (key === undefined) throw new InvalidCredentials();
    return key;
  }
}

/** Bearer tokens that are nothing else. */
export function registryTokenVerifier(tokens: RegistryTokens): Verifier {
  return {
    remembers: true,
    recognises: ({ scheme }) => scheme === 'bearer',
    check: async (credentials) => ({ principal: await tokens.verify(tokenIn(credentials).token) }),
  };
}

/** Decoders take padding and stray bits at the end; a token has one spelling here. */
function isCompact(token: string): boolean {
  const signature = COMPACT.exec(token)?.[1];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

function read(payload: JWTPayload, origins: readonly string[]): Principal {
  const { iss, aud, sub, kind, pid, epoch, admin, cid, limits, exp, access } = readClaims(payload);
  if (!origins.includes(iss) || serviceOf(iss) !== aud) throw new InvalidCredentials();
  return {
    kind,
    id: pid,
    name: pid === 0 ? 'anonymous' : sub,
    admin,
    epoch,
    credential: 'registry_token',
    ...(cid !== undefined && { credentialId: cid }),
    expiresAt: exp * 1000,
    ...(limits && { limits }),
    access: accessMap(access),
  };
}

function accessMap(entries: readonly AccessEntry[]): Map<string, readonly Action[]> {
  const map = new Map<string, Action[]>();
  for (const { type, name, actions } of entries) {
    if (type === 'registry') {
      if (name === 'catalog') map.set(CATALOG, ['pull']);
      continue;
    }
    const allowed = ACTIONS.filter((action) => actions.includes(action));
    map.set(name, [...(map.get(name) ?? []), ...allowed]);
  }
  return map;
}
