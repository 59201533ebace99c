/** The trash is emptied: manifests that can no longer be brought back go, and what they needed is reviewed. */
import {
  deleteExpiredHolds,
  FIRST_IN_TRASH,
  lockDueManifests,
  lockMissing,
  purgeManifests,
  selectPurgeable,
  type TrashCursor,
} from '../queries/gc-purge.ts';
import { selectNow } from '../queries/gc-run.ts';
import type { RunInProgress } from './run.ts';

const BATCH = 200;

/** Purges what is due now, indexes before what they list; returns how many manifests went. */
export async function purgeTrash(run: RunInProgress): Promise<number> {
  let purged = 0;
  // Each round frees what the indexes of the round before listed.
  for (;;) {
    const round = await purgeRound(run);
    purged += round;
    if (round === 0 || !run.goesOn) return purged;
  }
}

async function purgeRound(run: RunInProgress): Promise<number> {
  const until = await selectNow(run.world.db);
  let purged = 0;
  let after: TrashCursor | undefined = FIRST_IN_TRASH;
  while (after !== undefined && run.goesOn) {
    const { removed, next } = await purgeBatch(run, until, after);
    purged += removed.manifests;
    after = next;
  }
  return purged;
}

function purgeBatch(run: RunInProgress, until: string, after: TrashCursor) {
  return run.batch(async (tx) => {
    const due = await lockDueManifests(tx, { until, undo: run.world.clocks.undo, after, limit: BATCH });
    const next = due.length < BATCH ? undefined : due.at(-1);
    if (due.length === 0) return { removed: { manifests: 0 }, next };
    const ids = due.map((row) => row.id);
    await deleteExpiredHolds(tx, ids);
    const ours = await lockMissing(tx, ids);
    const free = (await selectPurgeable(tx, ids)).filter((row) => row.missing === (ours.get(row.id) ?? 0));
    const going = free.map((row) => row.id);
    if (going.length > 0) await purgeManifests(tx, going);
    return { removed: { manifests: going.length }, next };
  });
}
