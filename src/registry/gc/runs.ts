/** What runs of garbage collection have removed. */
import type { Database } from '../../db/database.ts';
import * as rows from '../queries/gc-run.ts';

export async function pruneRuns(db: Database): Promise<void> {
  await rows.pruneRuns(db);
}
