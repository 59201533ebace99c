/** What changed about who may do what, in the outbox. */
import type { Transaction } from '../db/database.ts';
import { recordEvent } from '../jobs/outbox.ts';

/** On whose behalf and in which request something is changed. */
export interface Actor {
  /** Row of `principals`; 0 for the hub itself. */
  readonly id: number;
  readonly requestId?: string;
}

export interface Change {
  /** CloudEvents type without the prefix `dev.berth.`, e.g. `user.created`. */
  readonly type: string;
  readonly projectId?: number;
  /** Never a secret. */
  readonly data: Record<string, unknown>;
}

/** Inside the transaction that makes the change. */
export function recordChange(tx: Transaction, actor: Actor, change: Change): Promise<void> {
  return recordEvent(tx, { ...change, actorId: actor.id, ...(actor.requestId && { requestId: actor.requestId }) });
}
