/** Personal access tokens: made by their owner, shown once, always expiring, never wider than the owner. */
import type { Database, Queryable } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isPathGlob } from './glob.ts';
import type { Action } from './principal.ts';
import { bumpPrincipal } from './queries/accounts.ts';
import * as rows from './queries/tokens.ts';
import { hashToken, newPersonalToken } from './token-format.ts';

export interface PersonalToken {
  readonly id: number;
  readonly name: string;
  readonly actions: readonly Action[];
  /** Globs of repository paths; absent: wherever its owner may go. */
  readonly paths?: readonly string[];
  readonly expiresAt: Date;
  readonly lastUsedAt?: Date;
  readonly createdAt: Date;
}

export interface TokenRequest {
  readonly name: string;
  readonly actions: readonly Action[];
  readonly paths?: readonly string[];
  /** Days, 1 to 365; 90 when absent. */
  readonly expiresInDays?: number;
}

const DEFAULT_DAYS = 90;
const LONGEST_DAYS = 365;

/**
 * @returns the token's row, and the token itself, which is stored nowhere
 * @throws {AccountError} expiry-out-of-range, glob-invalid
 */
export async function createPersonalToken(
  db: Database,
  request: TokenRequest,
  owner: Actor,
): Promise<{ readonly token: string; readonly row: PersonalToken }> {
  const days = request.expiresInDays ?? DEFAULT_DAYS;
  if (!Number.isInteger(days) || days < 1 || days > LONGEST_DAYS) {
    throw new AccountError('expiry-out-of-range', `A token lives for 1 to ${LONGEST_DAYS} days.`);
  }
  const bad = request.paths?.find((path) => !isPathGlob(path));
  if (bad !== undefined) throw new AccountError('glob-invalid', `${JSON.stringify(bad)} is not a path with * or **.`);
  const token = newPersonalToken();
  const row = await db.transaction(async (tx) => {
    const created = await rows.insertToken(tx, {
      ownerId: owner.id,
      name: request.name,
      secretHash: hashToken(token),
      actions: [...new Set(request.actions)],
      paths: request.paths === undefined ? null : [...request.paths],
      days,
    });
    const { id, name, actions, paths, expiresAt } = created;
    await recordChange(tx, owner, { type: 'token.created', data: { token: id, name, actions, paths, expiresAt } });
    return created;
  });
  return { token, row: fromRow(row) };
}

/** The owner's tokens that are not revoked, newest first. */
export async function listPersonalTokens(
  db: Queryable,
  ownerId: number,
  page: { readonly before?: number; readonly limit: number },
): Promise<PersonalToken[]> {
  return (await rows.selectTokens(db, ownerId, page.before, page.limit)).map(fromRow);
}

/**
 * Ends the token, and every registry token of its owner with it, at the next request on every replica.
 * @throws {AccountError} not-found, also for someone else's token
 */
export async function revokePersonalToken(db: Database, id: number, owner: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const name = await rows.revokeToken(tx, owner.id, id);
    if (name === undefined) throw new AccountError('not-found', 'You have no such token.');
    await bumpPrincipal(tx, owner.id);
    await recordChange(tx, owner, { type: 'token.revoked', data: { token: id, name } });
  });
}

function fromRow(row: rows.TokenRow): PersonalToken {
  const { id, name, expiresAt, createdAt } = row;
  return {
    id,
    name,
    actions: row.actions as Action[],
    ...(row.paths && { paths: row.paths }),
    expiresAt,
    ...(row.lastUsedAt && { lastUsedAt: row.lastUsedAt }),
    createdAt,
  };
}
