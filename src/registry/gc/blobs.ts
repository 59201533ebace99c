/** Contents that no repository has any more: their rows go, and their objects die. */
import { mayBeForgotten } from '../../db/background.ts';
import { FIRST_BLOB, lockDueBlobs, lockFreeBlobs, removeBlobs, type BlobCursor } from '../queries/gc-blobs.ts';
import { selectNow } from '../queries/gc-run.ts';
import type { RunInProgress } from './run.ts';

/** Few enough that whoever meets a batch waits for some milliseconds. */
const BATCH = 200;

/**
 * Looks at every content that is due now. There is no delay: what has no link cannot be mounted, named or read. The same
 * content pushed again is a new row and a new object, so nothing waits for an old one and nothing is brought back to life.
 */
export async function reviewBlobs(run: RunInProgress): Promise<void> {
  const until = await selectNow(run.world.db);
  let after: BlobCursor | undefined = FIRST_BLOB;
  while (after !== undefined && run.goesOn) after = (await reviewBatch(run, until, after)).next;
}

function reviewBatch(run: RunInProgress, until: string, after: BlobCursor) {
  return run.batch(async (tx) => {
    // The bytes are safe: a sweep commits before it deletes, and waits for the disk when it does.
    await mayBeForgotten(tx);
    const due = await lockDueBlobs(tx, { until, after, limit: BATCH });
    const next = due.length < BATCH ? undefined : due.at(-1);
    const ids = due.map((row) => row.blob_id);
    const free = ids.length === 0 ? [] : await lockFreeBlobs(tx, ids);
    return { removed: free.length === 0 ? {} : await removeBlobs(tx, free, run.world.clocks.bytesDelay), next };
  });
}
