import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface EventRow {
  type: string;
  actorId: number;
  projectId: number | undefined;
  requestId: string | undefined;
  data: Record<string, unknown>;
}

export async function insertEvent(tx: Queryable, event: EventRow): Promise<void> {
  await tx.query(sql`
    insert into events (type, project_id, actor_id, request_id, data)
    values (${event.type}, ${event.projectId ?? null}, ${event.actorId || null}, ${event.requestId ?? null},
            ${JSON.stringify(event.data)})`);
}
