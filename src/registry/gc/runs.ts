/** Where garbage collection stands, and what its runs have removed. */
import type { Actor } from '../../auth/events.ts';
import { recordChange } from '../../auth/events.ts';
import type { Database } from '../../db/database.ts';
import { deleteRunsOf90Days } from '../queries/gc-run.ts';
import * as rows from '../queries/gc-state.ts';
import { enqueueCollection } from './jobs.ts';
import type { Collecting } from './run.ts';

export type { RunRow } from '../queries/gc-state.ts';

/** Counts of a queue; `rows.MANY` means that many or more. */
export interface Queue {
  readonly waiting: number;
  readonly due: number;
  readonly oldestDue: Date | null;
}

export interface CollectionState {
  readonly running: boolean;
  /** Whether links of an earlier version have been looked through; until then a preview says too little. */
  readonly backfilled: boolean;
  /** Whether a hold keeps all bytes. */
  readonly held: boolean;
  readonly trash: Queue;
  readonly subjects: Queue;
  readonly links: Queue;
  readonly blobs: Queue;
  readonly objects: Queue & { readonly bytes: number };
}

export async function describeCollection({ db, clocks }: Collecting): Promise<CollectionState> {
  const state = await rows.selectState(db);
  return {
    running: state.running,
    backfilled: state.backfilled,
    held: state.held,
    trash: queueOf(await rows.selectTrashQueue(db, clocks.undo)),
    subjects: queueOf(await rows.selectSubjectQueue(db)),
    links: queueOf(await rows.selectLinkQueue(db, clocks.delay)),
    blobs: queueOf(await rows.selectBlobQueue(db)),
    objects: {
      waiting: state.objects,
      due: state.objects_due,
      oldestDue: state.oldest_object_due,
      bytes: state.object_bytes,
    },
  };
}

function queueOf(row: rows.QueueRow | undefined): Queue {
  return { waiting: row?.waiting ?? 0, due: row?.due ?? 0, oldestDue: row?.oldest_due ?? null };
}

/** Newest first. A run that found nothing is not among them. */
export function listRuns(
  db: Database,
  before: { started: string; id: string } | undefined,
  limit: number,
): Promise<rows.RunRow[]> {
  return rows.selectRuns(db, before, limit);
}

/** Has collection run as soon as a worker is free. */
export async function requestCollection(db: Database, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    await enqueueCollection(tx, actor.id);
    await recordChange(tx, actor, { type: 'gc.requested', data: {} });
  });
}

/** Reports and holds of the past. */
export async function pruneCollection(db: Database): Promise<void> {
  await deleteRunsOf90Days(db);
  await rows.deleteExpiredGcHolds(db);
}
