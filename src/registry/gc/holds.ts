/** Holds on all bytes: while one has not expired, nothing leaves the store. Rows go on being collected. */
import { recordChange, type Actor } from '../../auth/events.ts';
import type { Database } from '../../db/database.ts';
import * as rows from '../queries/gc-state.ts';

export type { GcHoldRow } from '../queries/gc-state.ts';

export interface NewGcHold {
  /** What holds: `backup`, and which one. */
  readonly ownerKind: string;
  readonly ownerId: string;
  readonly reason: string;
  /** A hold always expires: one that was forgotten must not fill the disk. */
  readonly seconds: number;
}

/** What is dead before this returns may still be under way out of the store; what dies later stays. */
export function holdBytes(db: Database, hold: NewGcHold, actor: Actor): Promise<rows.GcHoldRow> {
  return db.transaction(async (tx) => {
    const row = await rows.insertGcHold(tx, { ...hold, createdBy: actor.id });
    const { owner_kind: ownerKind, owner_id: ownerId, reason } = row;
    await recordChange(tx, actor, { type: 'gc.held', data: { hold: row.id, ownerKind, ownerId, reason } });
    return row;
  });
}

/** Those that hold now. */
export function listGcHolds(db: Database, after: number, limit: number): Promise<rows.GcHoldRow[]> {
  return rows.selectGcHolds(db, after, limit);
}

/** False when there is no such hold. */
export function releaseBytes(db: Database, id: number, actor: Actor): Promise<boolean> {
  return db.transaction(async (tx) => {
    const row = await rows.deleteGcHold(tx, id);
    if (!row) return false;
    const { owner_kind: ownerKind, owner_id: ownerId } = row;
    await recordChange(tx, actor, { type: 'gc.released', data: { hold: id, ownerKind, ownerId } });
    return true;
  });
}
