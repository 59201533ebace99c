/** User name and password: any Basic credentials that are nothing else. */
import type { Database } from '../db/database.ts';
import type { Attempts } from './attempts.ts';
import type { Directories } from './directories.ts';
import { InvalidCredentials } from './errors.ts';
import { isAccountName } from './names.ts';
import { verifyPassword } from './passwords.ts';
import type { Principal } from './principal.ts';
import { findLogin } from './queries/login.ts';
import type { Verifier } from './verifier.ts';

/**
 * Whoever has a password here is asked for that one alone; everyone else may be known to a directory. The work of a hash is
 * done in any case, so that time does not tell who has one.
 */
export function passwordVerifier(db: Database, attempts: Attempts, directories: Directories): Verifier {
  async function check(name: string, password: string): Promise<Principal | undefined> {
    const account = name.toLowerCase();
    const found = isAccountName(account) ? await findLogin(db, account) : undefined;
    const right = await verifyPassword(password, found?.passwordHash ?? undefined);
    if (found === undefined || found.passwordHash === null) return directories.check(name, password);
    if (!right || found.closed) return undefined;
    return {
      kind: 'user',
      id: found.id,
      name: found.name,
      admin: found.admin,
      epoch: found.epoch,
      credential: 'password',
    };
  }

  return {
    recognises: ({ scheme }) => scheme === 'basic',
    async check(credentials, address) {
      if (credentials.scheme !== 'basic') throw new InvalidCredentials();
      const { username, password } = credentials;
      const principal = await attempts.guard(folded(username), address, () => check(username, password));
      if (principal === undefined) throw new InvalidCredentials();
      return { principal };
    },
  };
}

/** Directories take many spellings for one name (RFC 4518; some ignore accents, too). To whoever guesses they are one account. */
function folded(name: string): string {
  const passedOver = /[\p{Default_Ignorable_Code_Point}\p{M}\p{C}\p{Z}\u1806\ufffc]/gu;
  return name.normalize('NFKD').toLowerCase().replaceAll(passedOver, '');
}
