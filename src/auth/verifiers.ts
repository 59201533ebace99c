/** Every kind of credential, in the order in which they are asked whether something is theirs. */
import type { Database } from '../db/database.ts';
import { createAttempts, sharedFailures, type Attempts } from './attempts.ts';
import type { Directories } from './directories.ts';
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
  /** What only tests replace. */
  readonly attempts?: Attempts;
  readonly now?: () => number;
}

export function createVerifiers({
  db,
  tokens,
  sessions,
  directories,
  attempts = createAttempts(undefined, sharedFailures(db)),
  now,
}: VerifierParts): Verifier[] {
  return [
    sessionVerifier(db, sessions, now),
    ownTokenVerifier(db, now),
    registryTokenVerifier(tokens),
    passwordVerifier(db, attempts, directories),
  ];
}
