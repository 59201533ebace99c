/** Personal access tokens: made and revoked by their owner. */
import type { Database, Queryable } from '../db/database.ts';
import type { Actor } from './events.ts';
import { createToken, listTokens, revokeToken, type Token, type TokenRequest } from './tokens.ts';

/** @throws {AccountError} expiry-out-of-range, glob-invalid */
export function createPersonalToken(
  db: Database,
  request: TokenRequest,
  owner: Actor,
): Promise<{ readonly token: string; readonly row: Token }> {
  return createToken(db, { id: owner.id, kind: 'user' }, request, owner);
}

/** The owner's tokens that are not revoked, newest first. */
export function listPersonalTokens(
  db: Queryable,
  ownerId: number,
  page: { readonly before?: number; readonly limit: number },
): Promise<Token[]> {
  return listTokens(db, ownerId, page);
}

/** @throws {AccountError} not-found, also for someone else's token */
export function revokePersonalToken(db: Database, id: number, owner: Actor): Promise<void> {
  return revokeToken(db, owner, id, owner);
}
