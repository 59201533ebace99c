/** The hub's own opaque tokens, whoever they belong to. */
import type { Database } from '../db/database.ts';
import { InvalidCredentials } from './errors.ts';
import { createLastUsed } from './last-used.ts';
import type { Action } from './principal.ts';
import { findTokenLogin, touchTokens } from './queries/login.ts';
import { hashToken, looksLikeToken, tokenOwner } from './token-format.ts';
import { mayAccompany, tokenIn, type Verifier } from './verifier.ts';

export function ownTokenVerifier(db: Database, now: () => number = () => Date.now()): Verifier {
  const lastUsed = createLastUsed((ids) => touchTokens(db, ids));
  return {
    recognises: (credentials) => looksLikeToken(tokenIn(credentials).token),
    async check(credentials) {
      const { token, username } = tokenIn(credentials);
      const owner = tokenOwner(token);
      if (owner === undefined) throw new InvalidCredentials();
      const row = await findTokenLogin(db, hashToken(token));
      if (row === undefined || row.kind !== owner || !mayAccompany(username, row.name)) throw new InvalidCredentials();
      return {
        used: () => lastUsed.touch(row.tokenId),
        principal: {
          kind: row.kind,
          id: row.principalId,
          name: row.name,
          admin: row.admin,
          epoch: row.epoch,
          credential: 'token',
          credentialId: row.tokenId,
          expiresAt: now() + row.expiresInMs,
          limits: { actions: row.actions as Action[], ...(row.paths && { paths: row.paths }) },
        },
      };
    },
    settled: () => lastUsed.settled(),
  };
}
