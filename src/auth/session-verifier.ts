/** The secret of a browser's session. Only doors that look at cookies make such credentials. */
import type { Database } from '../db/database.ts';
import { InvalidCredentials } from './errors.ts';
import { createLastUsed } from './last-used.ts';
import { findSessionLogin, touchSessions } from './queries/sessions.ts';
import { hashSecret, isSessionSecret, type SessionTimes } from './sessions.ts';
import type { Verifier } from './verifier.ts';

export function sessionVerifier(
  db: Database,
  { idle }: Pick<SessionTimes, 'idle'>,
  now: () => number = () => Date.now(),
): Verifier {
  const seen = createLastUsed((ids) => touchSessions(db, ids));
  return {
    recognises: ({ scheme }) => scheme === 'session',
    async check(credentials) {
      if (credentials.scheme !== 'session' || !isSessionSecret(credentials.secret)) throw new InvalidCredentials();
      const row = await findSessionLogin(db, hashSecret(credentials.secret), idle);
      if (row === undefined) throw new InvalidCredentials();
      const { principalId: id, name, admin, epoch } = row;
      return {
        used: () => seen.touch(row.sessionId),
        principal: {
          kind: 'user',
          id,
          name,
          admin,
          epoch,
          credential: 'session',
          credentialId: row.sessionId,
          expiresAt: now() + row.expiresInMs,
        },
      };
    },
    settled: () => seen.settled(),
  };
}
