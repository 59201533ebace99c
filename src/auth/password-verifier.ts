/** User name and password: any Basic credentials that are nothing else. */
import type { Database } from '../db/database.ts';
import type { Attempts } from './attempts.ts';
import { InvalidCredentials } from './errors.ts';
import { isAccountName } from './names.ts';
import { verifyPassword } from './passwords.ts';
import { findLogin } from './queries/login.ts';
import type { Verifier } from './verifier.ts';

export function passwordVerifier(db: Database, attempts: Attempts): Verifier {
  return {
    recognises: ({ scheme }) => scheme === 'basic',
    async check(credentials, address) {
      if (credentials.scheme !== 'basic') throw new InvalidCredentials();
      const account = credentials.username.toLowerCase();
      const login = await attempts.guard(account, address, async () => {
        const found = isAccountName(account) ? await findLogin(db, account) : undefined;
        const right = await verifyPassword(credentials.password, found?.passwordHash ?? undefined);
        return right && found?.closed === false ? found : undefined;
      });
      if (login === undefined) throw new InvalidCredentials();
      const { id, name, epoch, admin } = login;
      return { principal: { kind: 'user', id, name, admin, epoch, credential: 'password' } };
    },
  };
}
