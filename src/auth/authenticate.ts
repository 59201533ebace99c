/** From an Authorization header to a Principal, whatever the transport. */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Database } from '../db/database.ts';
import { createAttempts, type Attempts } from './attempts.ts';
import { parseAuthorization, type Credentials } from './authorization.ts';
import { InvalidCredentials } from './errors.ts';
import { createLastUsed } from './last-used.ts';
import { isAccountName } from './names.ts';
import { verifyPassword } from './passwords.ts';
import { ANONYMOUS, type Action, type Principal } from './principal.ts';
import { findLogin, findTokenLogin } from './queries/login.ts';
import type { RegistryTokens } from './registry-tokens.ts';
import { hashToken, isPersonalToken, looksLikePersonalToken } from './token-format.ts';

/** The value of a header, or credentials that came another way. */
export type Authorization = string | Credentials;

export interface Authenticator {
  /**
   * Basic user:password, Basic user:token, Bearer token, Bearer registry token; without a header the anonymous principal.
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
 * How long a password or token that was right is not checked again. Revocation does not wait for it: the epoch is compared
 * at every request.
 */
const REMEMBER_MS = 5 * 60_000;
const REMEMBERED = 10_000;

interface Checked {
  readonly principal: Principal;
  readonly tokenId?: number;
}

/** What only tests replace. */
export interface AuthenticatorParts {
  readonly attempts?: Attempts;
  readonly now?: () => number;
}

export function createAuthenticator(
  db: Database,
  tokens: RegistryTokens,
  parts: AuthenticatorParts = {},
): Authenticator {
  const attempts = parts.attempts ?? createAttempts();
  const now = parts.now ?? (() => Date.now());
  const lastUsed = createLastUsed(db);
  // Memory holds no credentials, not even hashed in a way that another process could test guesses against.
  const pepper = randomBytes(32);
  const keyOf = (credentials: Credentials): string =>
    createHmac('sha256', pepper).update(JSON.stringify(credentials)).digest('base64');
  const remembered = new LRUCache<string, Checked>({ max: REMEMBERED, ttl: REMEMBER_MS });
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

  async function authenticate(credentials: Credentials, address: string): Promise<Principal> {
    if (credentials.scheme === 'bearer' && !looksLikePersonalToken(credentials.token)) {
      return tokens.verify(credentials.token);
    }
    const key = keyOf(credentials);
    const known = remembered.get(key);
    const fresh = known !== undefined && (known.principal.expiresAt ?? Infinity) > now();
    const { principal, tokenId } = fresh ? known : await remember(key, () => check(credentials, address));
    if (tokenId !== undefined) lastUsed.touch(tokenId);
    return principal;
  }

  function check(credentials: Credentials, address: string): Promise<Checked> {
    if (credentials.scheme === 'bearer') return checkToken(db, credentials.token, '', now);
    if (looksLikePersonalToken(credentials.password)) {
      return checkToken(db, credentials.password, credentials.username, now);
    }
    return checkPassword(db, attempts, credentials.username, credentials.password, address);
  }

  return {
    async authenticate(authorization, address = '') {
      if (authorization === undefined || authorization === '') return ANONYMOUS;
      const credentials = parse(authorization);
      if (credentials === undefined) throw new InvalidCredentials();
      return authenticate(credentials, address);
    },
    forget(authorization) {
      const credentials = parse(authorization);
      if (credentials !== undefined) remembered.delete(keyOf(credentials));
    },
    settled: () => lastUsed.settled(),
  };
}

function parse(authorization: Authorization): Credentials | undefined {
  return typeof authorization === 'string' ? parseAuthorization(authorization) : authorization;
}

async function checkPassword(
  db: Database,
  attempts: Attempts,
  username: string,
  password: string,
  address: string,
): Promise<Checked> {
  const account = username.toLowerCase();
  const login = await attempts.guard(account, address, async () => {
    const found = isAccountName(account) ? await findLogin(db, account) : undefined;
    const right = await verifyPassword(password, found?.passwordHash ?? undefined);
    return right && found?.closed === false ? found : undefined;
  });
  if (login === undefined) throw new InvalidCredentials();
  const { id, name, epoch, admin } = login;
  return { principal: { kind: 'user', id, name, admin, epoch, credential: 'password' } };
}

/** @param username the owner's name, or what clients send when there is only a token: nothing, or `<token>` */
async function checkToken(db: Database, token: string, username: string, now: () => number): Promise<Checked> {
  if (!isPersonalToken(token)) throw new InvalidCredentials();
  const row = await findTokenLogin(db, hashToken(token));
  if (row === undefined) throw new InvalidCredentials();
  if (username !== '' && username !== '<token>' && username.toLowerCase() !== row.name) throw new InvalidCredentials();
  return {
    tokenId: row.tokenId,
    principal: {
      kind: 'user',
      id: row.principalId,
      name: row.name,
      admin: row.admin,
      epoch: row.epoch,
      credential: 'token',
      expiresAt: now() + row.expiresInMs,
      limits: { actions: row.actions as Action[], ...(row.paths && { paths: row.paths }) },
    },
  };
}
