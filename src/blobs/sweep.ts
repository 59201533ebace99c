/** Removes the bytes of objects that nothing names any more. It walks rows, never the store. */
import type { Database } from '../db/database.ts';
import { forgetDeadObject, takeDueObjects } from './queries.ts';
import type { BlobStore } from './store.ts';

const BATCH = 100;

/**
 * Deletes due objects until none is left and returns their number. Safe to kill and to run twice: deleting is idempotent,
 * and the row goes only after the bytes.
 * @throws the first failure after the rest of its batch was tried; what failed is tried again later
 */
export async function sweepDeadObjects(db: Database, store: BlobStore): Promise<number> {
  let swept = 0;
  for (;;) {
    const due = await takeDueObjects(db, store.kind, BATCH);
    let failure: Error | undefined;
    for (const { key } of due) {
      try {
        await store.delete(key);
        await forgetDeadObject(db, key);
        swept++;
      } catch (error) {
        failure ??= error as Error;
      }
    }
    if (failure !== undefined) throw failure;
    if (due.length < BATCH) return swept;
  }
}
