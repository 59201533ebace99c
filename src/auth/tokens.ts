/** Tokens of people and robots: shown once, stored as hashes, always expiring, never wider than their owner. */
import type { Database, Queryable } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isPathGlob } from './glob.ts';
import type { Action } from './principal.ts';
import { bumpPrincipal } from './queries/accounts.ts';
import * as rows from './queries/tokens.ts';
import { hashToken, newToken, type TokenOwner } from './token-format.ts';

export interface Token {
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

/** Who the token belongs to. */
export interface Owner {
  readonly id: number;
  readonly kind: TokenOwner;
  /** Of a robot, for its project's events. */
  readonly projectId?: number;
}

const DEFAULT_DAYS = 90;
const LONGEST_DAYS = 365;

/**
 * @returns the token's row, and the token itself, which is stored nowhere
 * @throws {AccountError} expiry-out-of-range, glob-invalid, not-found when the owner has just been removed
 */
export async function createToken(
  db: Database,
  owner: Owner,
  request: TokenRequest,
  actor: Actor,
): Promise<{ readonly token: string; readonly row: Token }> {
  const days = request.expiresInDays ?? DEFAULT_DAYS;
  if (!Number.isInteger(days) || days < 1 || days > LONGEST_DAYS) {
    throw new AccountError('expiry-out-of-range', `A token lives for 1 to ${LONGEST_DAYS} days.`);
  }
  const bad = request.paths?.find((path) => !isPathGlob(path));
  if (bad !== undefined) throw new AccountError('glob-invalid', `${JSON.stringify(bad)} is not a path with * or **.`);
  const token = newToken(owner.kind);
  const row = await db.transaction(async (tx) => {
    const created = await rows.insertToken(tx, {
      ownerId: owner.id,
      name: request.name,
      secretHash: hashToken(token),
      actions: [...new Set(request.actions)],
      paths: request.paths === undefined ? null : [...request.paths],
      days,
    });
    if (created === undefined) throw new AccountError('not-found', 'The owner of the token has just been removed.');
    const { id, owner: ownerName, name, actions, paths, expiresAt } = created;
    await recordChange(tx, actor, {
      type: 'token.created',
      ...(owner.projectId !== undefined && { projectId: owner.projectId }),
      data: { token: id, owner: ownerName, name, actions, paths, expiresAt },
    });
    return created;
  });
  return { token, row: fromRow(row) };
}

/** The owner's tokens that are not revoked, newest first. */
export async function listTokens(
  db: Queryable,
  ownerId: number,
  page: { readonly before?: number; readonly limit: number },
): Promise<Token[]> {
  return (await rows.selectTokens(db, ownerId, page.before, page.limit)).map(fromRow);
}

/**
 * Ends the token, and every registry token of its owner with it, at the next request on every replica.
 * @throws {AccountError} not-found, also for someone else's token
 */
export async function revokeToken(
  db: Database,
  owner: Pick<Owner, 'id' | 'projectId'>,
  id: number,
  actor: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const revoked = await rows.revokeToken(tx, owner.id, id);
    if (revoked === undefined) throw new AccountError('not-found', 'There is no such token.');
    await bumpPrincipal(tx, owner.id);
    await recordChange(tx, actor, {
      type: 'token.revoked',
      ...(owner.projectId !== undefined && { projectId: owner.projectId }),
      data: { token: id, owner: revoked.owner, name: revoked.name },
    });
  });
}

function fromRow(row: rows.TokenRow): Token {
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
