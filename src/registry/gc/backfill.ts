/** Links that were here before there was a queue for them are looked through once, in the order of their keys. */
import { backfillLinks } from '../queries/gc-backfill.ts';
import type { RunInProgress } from './run.ts';

const BATCH = 2_000;

/**
 * Queues what an earlier version left without a use. How far it came is in the row that the same transaction writes, so a hub
 * that was killed goes on there. Once it is over this is one look-up.
 */
export async function backfillReviews(run: RunInProgress): Promise<void> {
  let more = true;
  while (more && run.goesOn) {
    ({ more } = await run.batch(async (tx) => ({ removed: {}, more: await backfillLinks(tx, BATCH) })));
  }
}
