/** Background work: daily runs, runs that nobody works on any more, runs that nobody will ask for. */
import type { Database } from '../../db/database.ts';
import { enqueue } from '../../jobs/queue.ts';
import { takeDuePolicy } from '../queries/retention-policies.ts';
import { deleteOldRuns, selectForsakenRuns } from '../queries/retention-runs.ts';
import { beginRun, RUN_RETENTION } from './runs.ts';

/** Begins the daily runs that are due. One that was missed while the hub was down is begun when it is up. */
export async function startDueRuns(db: Database): Promise<void> {
  for (let more = true; more;) {
    more = await db.transaction(async (tx) => {
      const due = await takeDuePolicy(tx);
      if (due) await beginRun(tx, { ...due, trigger: 'daily' }, { id: 0 });
      return due !== undefined;
    });
  }
  for (const run of await selectForsakenRuns(db, 1_000)) {
    await db.transaction((tx) => enqueue(tx, RUN_RETENTION, { run }, `${RUN_RETENTION} ${run}`));
  }
}

const BATCH = 20;

export async function pruneRuns(db: Database): Promise<void> {
  while ((await deleteOldRuns(db, BATCH)) === BATCH);
}
