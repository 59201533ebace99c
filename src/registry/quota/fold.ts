/** Deltas become part of their project's row, so that reading the usage stays cheap. */
import type { Database, Transaction } from '../../db/database.ts';
import { foldDeltas, lockUsageRow, nextWithDeltas } from '../queries/usage.ts';

const BATCH = 10_000;

/**
 * Folds what waits, project by project and in short transactions. Safe to kill and to run twice: a delta goes in the statement that
 * adds it. A project whose row somebody else holds waits for the next time.
 */
export async function foldUsage(db: Database): Promise<void> {
  for (let project = await nextWithDeltas(db, 0); project !== undefined; project = await nextWithDeltas(db, project)) {
    const id = project;
    while (await db.transaction((tx) => foldBatch(tx, id)));
  }
}

/** True when there may be more. */
async function foldBatch(tx: Transaction, projectId: number): Promise<boolean> {
  const found = await lockUsageRow(tx, projectId, false);
  // Of a project that is gone: the same statement removes them, with no row to add them to.
  return found !== 'busy' && (await foldDeltas(tx, projectId, BATCH)) === BATCH;
}
