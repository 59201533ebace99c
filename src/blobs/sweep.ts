/** Removes the bytes of objects that nothing names any more. It walks rows, never the store. */
import type { Database, Transaction } from '../db/database.ts';
import { forgetDeadObjects, takeDueObjects } from './queries.ts';
import type { BlobStore } from './store.ts';

const BATCH = 200;
/** Deletes under way at a time: a disk syncs a folder for each, S3 answers four requests. */
const LANES = 16;

export interface Swept {
  readonly objects: number;
  /** As far as the rows know: an earlier version wrote none. */
  readonly bytes: number;
}

export interface SweepOptions {
  /** Whether another batch may begin. */
  readonly goesOn?: () => boolean;
  /** Told in the transaction that forgets the objects, and when that is done. */
  readonly note?: (tx: Transaction, swept: Swept) => Promise<void>;
  readonly done?: (swept: Swept) => void;
}

/**
 * Deletes due objects until none is left, unless a hold keeps all of them. Safe to kill and to run twice: deleting is idempotent,
 * and the rows go only after the bytes.
 * @throws the first failure after the rest of its batch was tried; what failed is tried again later
 */
export async function sweepDeadObjects(db: Database, store: BlobStore, options: SweepOptions = {}): Promise<Swept> {
  let swept: Swept = { objects: 0, bytes: 0 };
  for (;;) {
    const due = await takeDueObjects(db, store.kind, BATCH);
    const { gone, failure } = await deleteAll(
      store,
      due.map(({ key }) => key),
    );
    if (gone.length > 0) {
      const forgotten = await db.transaction(async (tx) => {
        const counted = await forgetDeadObjects(tx, gone);
        await options.note?.(tx, counted);
        return counted;
      });
      options.done?.(forgotten);
      swept = { objects: swept.objects + forgotten.objects, bytes: swept.bytes + forgotten.bytes };
    }
    if (failure !== undefined) throw failure;
    if (due.length < BATCH || options.goesOn?.() === false) return swept;
  }
}

/** A few at a time, all of them whatever fails. */
async function deleteAll(
  store: BlobStore,
  keys: readonly string[],
): Promise<{ gone: string[]; failure: Error | undefined }> {
  const gone: string[] = [];
  let failure: Error | undefined;
  const waiting = keys.values();
  const lane = async (): Promise<void> => {
    for (const key of waiting) {
      try {
        await store.delete(key);
        gone.push(key);
      } catch (error) {
        failure ??= error as Error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, keys.length) }, lane));
  return { gone, failure };
}
