/** The outbox: what happened, written in the transaction that made it happen. */
import sql from 'sql-template-tag';
import type { Transaction } from '../db/database.ts';
import { currentOrigin } from './origin.ts';

export interface Event {
  /** CloudEvents type without the prefix `dev.berth.`, e.g. `manifest.pushed`. */
  readonly type: string;
  /** Row of `principals`; 0 for the hub itself and for anonymous. */
  readonly actorId: number;
  readonly projectId?: number | undefined;
  readonly repositoryId?: number | undefined;
  readonly requestId?: string | undefined;
  /** Never a secret. */
  readonly data: Record<string, unknown>;
}

export async function recordEvent(tx: Transaction, event: Event): Promise<void> {
  await tx.query(sql`
    insert into events (type, project_id, repository_id, actor_id, request_id, data, origin)
    values (${`dev.berth.${event.type}`}, ${event.projectId ?? null}, ${event.repositoryId ?? null},
            ${event.actorId || null}, ${event.requestId ?? null}, ${JSON.stringify(event.data)}, ${originText()})`);
}

/** Several at once, in this order, of one repository and one doing. */
export async function recordEvents(
  tx: Transaction,
  common: Omit<Event, 'type' | 'data'>,
  events: readonly Pick<Event, 'type' | 'data'>[],
): Promise<void> {
  const types = events.map(({ type }) => `dev.berth.${type}`);
  const data = events.map((event) => JSON.stringify(event.data));
  await tx.query(sql`
    insert into events (type, project_id, repository_id, actor_id, request_id, data, origin)
    select type, ${common.projectId ?? null}::bigint, ${common.repositoryId ?? null}::bigint,
           ${common.actorId || null}::bigint, ${common.requestId ?? null}::text, data::jsonb, ${originText()}::jsonb
    from unnest(${types}::text[], ${data}::text[]) with ordinality as e (type, data, place) order by place`);
}

/** For statements that write their event themselves. */
export function originText(): string | null {
  const origin = currentOrigin();
  return origin === undefined ? null : JSON.stringify(origin);
}
