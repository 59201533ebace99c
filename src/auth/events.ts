/** What changed about who may do what: rows of the outbox, written in the transaction that made it happen. */
import type { Transaction } from '../db/database.ts';
import { insertEvent } from './queries/events.ts';

/** On whose behalf and in which request something is changed. */
export interface Actor {
  /** Row of `principals`; 0 for the hub itself. */
  readonly id: number;
  readonly requestId?: string;
}

export interface AuthEvent {
  /** CloudEvents type without the prefix `dev.berth.`, e.g. `user.created`. */
  readonly type: string;
  readonly projectId?: number;
  /** Never a secret. */
  readonly data: Record<string, unknown>;
}

export function recordEvent(tx: Transaction, actor: Actor, event: AuthEvent): Promise<void> {
  return insertEvent(tx, {
    type: `dev.berth.${event.type}`,
    actorId: actor.id,
    requestId: actor.requestId,
    projectId: event.projectId,
    data: event.data,
  });
}
