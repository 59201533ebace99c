/** Deleting many objects of a store that knows no better way than one by one. */
import type { BlobStore, Deleted } from './store.ts';

/** A few at a time, all of them whatever fails. */
export async function deleteInLanes(
  store: Pick<BlobStore, 'delete'>,
  keys: readonly string[],
  lanes: number,
): Promise<Deleted> {
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
  await Promise.all(Array.from({ length: Math.min(lanes, keys.length) }, lane));
  return { gone, failure };
}
