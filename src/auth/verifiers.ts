/** Every kind of credential, in the order in which they are asked whether something is theirs. */
import type { Database } from '../db/database.ts';
import { createAttempts, sharedFailures, type Attempts } from './attempts.ts';
import { ciVerifier } from './ci-verifier.ts';
import type { Directories } from './directories.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { passwordVerifier } from './password-verifier.ts';
import { registryTokenVerifier, type RegistryTokens } from './registry-tokens.ts';
import { sessionVerifier } from './session-verifier.ts';
import type { SessionTimes } from './sessions.ts';
import { ownTokenVerifier } from './token-verifier.ts';
import type { Verifier } from './verifier.ts';

export interface VerifierParts {
  readonly db: Database;
  readonly tokens: RegistryTokens;
  readonly sessions: Pick<SessionTimes, 'idle'>;
  readonly directories: Directories;
  readonly issuerKeys: IssuerKeys;
  /** Public URLs of the hub. */
  readonly origins: readonly string[];
  /** What only tests replace. */
  readonly attempts?: Attempts;
  readonly now?: () => number;
}

export function createVerifiers({
  db,
  tokens,
  sessions,
  directories,
  issuerKeys,
  origins,
  attempts = createAttempts(undefined, sharedFailures(db)),
  now,
}: VerifierParts): Verifier[] {
  return [
    sessionVerifier(db, sessions, now),
    ownTokenVerifier(db, now),
    // Before registry tokens, which take every other Bearer.
    ciVerifier(db, issuerKeys, origins, now),
    registryTokenVerifier(tokens),
    passwordVerifier(db, attempts, directories),
  ];
}
