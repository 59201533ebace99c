/** From an Authorization header to a Principal, whatever the transport. */
import { createHmac, randomBytes } from 'node:crypto';
import { counted } from '../cache/counted.ts';
import { parseAuthorization, type Credentials } from './authorization.ts';
import { InvalidCredentials } from './errors.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { Checked, Verifier } from './verifier.ts';

/** The value of a header, or credentials that came another way. */
export type Authorization = string | Credentials;

export interface Authenticator {
  /**
   * Who the credentials are; without any, the anonymous principal.
   * @param address of the client, for slowing down guesses; from a trusted source only
   * @throws {InvalidCredentials} for anything else: wrong credentials are never silently anonymous
   * @throws {TooManyAttempts} when guessing, or when too many passwords are being checked
   */
  authenticate(authorization: Authorization | undefined, address?: string): Promise<Principal>;
  /** Forgets that the credentials were good; the next check asks Postgres. For when the gate finds the principal stale. */
  forget(authorization: Authorization): void;
  /** Resolves when nothing that requests left behind is under way. */
  settled(): Promise<void>;
}

/**
 * How long credentials that were right are not checked again. Revocation does not wait for it: the epoch is compared at
 * every request.
 */
const REMEMBER_MS = 5 * 60_000;
const REMEMBERED = 10_000;

/** @param verifiers in the order in which they are asked whether credentials are theirs */
export function createAuthenticator(
  verifiers: readonly Verifier[],
  now: () => number = () => Date.now(),
): Authenticator {
  // Memory holds no credentials, not even hashed in a way that another process could test guesses against.
  const pepper = randomBytes(32);
  const keyOf = (credentials: Credentials): string =>
    createHmac('sha256', pepper).update(JSON.stringify(credentials)).digest('base64');
  const remembered = counted<string, Checked>(REMEMBERED, { ttl: REMEMBER_MS });
  const underWay = new Map<string, Promise<Checked>>();

  function remember(key: string, work: () => Promise<Checked>): Promise<Checked> {
    let running = underWay.get(key);
    if (running === undefined) {
      running = work()
        .then((checked) => {
          remembered.set(key, checked);
          return checked;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, running);
    }
    return running;
  }

  function check(verifier: Verifier, credentials: Credentials, address: string): Promise<Checked> | Checked {
    if (verifier.remembers) return verifier.check(credentials, address);
    const key = keyOf(credentials);
    const known = remembered.get(key);
    if (known !== undefined && (known.principal.expiresAt ?? Infinity) > now()) return known;
    return remember(key, () => verifier.check(credentials, address));
  }

  return {
    async authenticate(authorization, address = '') {
      if (authorization === undefined || authorization === '') return ANONYMOUS;
      const credentials = parse(authorization);
      const verifier = credentials && verifiers.find((each) => each.recognises(credentials));
      if (credentials === undefined || verifier === undefined) throw new InvalidCredentials();
      const { principal, used } = await check(verifier, credentials, address);
      used?.();
      return principal;
    },
    forget(authorization) {
      const credentials = parse(authorization);
      if (credentials !== undefined) remembered.delete(keyOf(credentials));
    },
    async settled() {
      await Promise.all(verifiers.map(async (each) => each.settled?.()));
    },
  };
}

function parse(authorization: Authorization): Credentials | undefined {
  return typeof authorization === 'string' ? parseAuthorization(authorization) : authorization;
}
