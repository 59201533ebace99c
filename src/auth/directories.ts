/** Accounts whose password is kept in a directory. */
import type { Database } from '../db/database.ts';
import { InvalidCredentials, ProviderUnavailable } from './errors.ts';
import { admit } from './identities.ts';
import { askDirectory } from './ldap.ts';
import type { Principal } from './principal.ts';
import { enabledProviders, secretOf } from './providers.ts';
import type { Secrets } from './secrets.ts';

export interface Directories {
  /**
   * Asks each directory in the order in which they were registered; undefined when none of them consents.
   * @throws {ProviderUnavailable} when one could not be asked, and no other one consents
   */
  check(name: string, password: string): Promise<Principal | undefined>;
}

export function createDirectories(db: Database, secrets: Secrets): Directories {
  return {
    async check(name, password) {
      let failure: ProviderUnavailable | undefined;
      for (const provider of await enabledProviders(db, 'ldap')) {
        try {
          const vouched = await askDirectory(provider, await secretOf(db, secrets, provider), name, password);
          if (vouched !== undefined) return await admit(db, provider, vouched);
        } catch (error) {
          // Known there, but not welcome here: the next one may be the person's own.
          if (error instanceof InvalidCredentials) continue;
          if (!(error instanceof ProviderUnavailable)) throw error;
          failure = error;
        }
      }
      if (failure !== undefined) throw failure;
      return undefined;
    },
  };
}
