/** Old rows that nobody will ask for. */
import type { Database } from '../db/database.ts';
import { deleteOldEvents } from './queries/events.ts';

const BATCH = 10_000;

/** Removes events that the outbox need not keep any more. */
export async function pruneEvents(db: Database): Promise<void> {
  while ((await deleteOldEvents(db, BATCH)) === BATCH);
}
