/** Removes the bytes of objects that nothing names any more. It walks rows, never the store. */
import type { Database, Transaction } from '../db/database.ts';
import { lookUpsOnly, mayBeForgotten, mustBeDurable } from '../db/background.ts';
import { forgetDeadObjects, takeDueObjects } from './queries.ts';
import type { BlobStore } from './store.ts';

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
  /** Waits between two batches; told how many milliseconds one took. */
  readonly rest?: (took: number) => Promise<void>;
}

/**
 * Deletes due objects until none is left, unless a hold keeps all of them. Safe to kill and to run twice: deleting is idempotent,
 * and the rows go only after the bytes.
 * @throws the first failure after the rest of its batch was tried; what failed is tried again later
 */
export async function sweepDeadObjects(db: Database, store: BlobStore, options: SweepOptions = {}): Promise<Swept> {
  let swept: Swept = { objects: 0, bytes: 0 };
  let from = '-infinity';
  for (;;) {
    const began = performance.now();
    const due = await db.transaction(async (tx) => {
      await lookUpsOnly(tx);
      // Those who removed the rows may not have waited for the disk, and bytes must not go before rows do.
      await mustBeDurable(tx);
      return takeDueObjects(tx, { store: store.kind, from, limit: store.deletesAtOnce });
    });
    const { gone, failure } = await store.deleteAll(due.map(({ key }) => key));
    if (gone.length > 0) {
      const forgotten = await db.transaction(async (tx) => {
        await lookUpsOnly(tx);
        await mayBeForgotten(tx);
        const counted = await forgetDeadObjects(tx, gone);
        await options.note?.(tx, counted);
        return counted;
      });
      options.done?.(forgotten);
      swept = { objects: swept.objects + forgotten.objects, bytes: swept.bytes + forgotten.bytes };
    }
    if (failure !== undefined) throw failure;
    if (due.length < store.deletesAtOnce || options.goesOn?.() === false) return swept;
    // Inclusive, since several can have one time. Whatever comes before is left for the next sweep.
    from = due.reduce((last, one) => (one.due > last ? one.due : last), '');
    await options.rest?.(performance.now() - began);
  }
}
