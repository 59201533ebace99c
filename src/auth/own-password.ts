/** People change their own password, and show that they know the old one. */
import type { Database } from '../db/database.ts';
import { changeUser } from './accounts.ts';
import type { Authenticator } from './authenticate.ts';
import { InvalidCredentials } from './errors.ts';
import type { Actor } from './events.ts';
import { identify } from './identify.ts';
import { findLogin } from './queries/login.ts';

/**
 * False when `current` is wrong, or the password is kept elsewhere. Guesses are slowed down like those of a sign-in, since a
 * browser that someone left open can make them, too.
 * @throws {AccountError} password-too-short, password-too-long
 * @throws {TooManyAttempts}
 */
export async function changeOwnPassword(
  parts: { readonly db: Database; readonly authenticator: Authenticator },
  user: { readonly name: string; readonly address: string },
  { current, wanted }: { readonly current: string; readonly wanted: string },
  actor: Actor,
): Promise<boolean> {
  const login = await findLogin(parts.db, user.name);
  if (login === undefined || login.passwordHash === null) return false;
  const authorization = { scheme: 'basic', username: user.name, password: current } as const;
  const caller = { authorization, address: user.address };
  try {
    const { principal } = await identify(parts.authenticator, caller, async () => ({ principalEpoch: login.epoch }));
    if (principal.credential !== 'password' || principal.id !== login.id) return false;
  } catch (error) {
    if (error instanceof InvalidCredentials) return false;
    throw error;
  }
  await changeUser(parts.db, user.name, { password: wanted }, actor);
  return true;
}
