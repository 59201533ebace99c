/** Brings back what a run deleted: manifests that are still in the trash by its doing, and tags whose names are free. */
import { digestFromBytes } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { recordEvents } from '../../jobs/outbox.ts';
import { enqueue } from '../../jobs/queue.ts';
import { READ_CHART } from '../charts/limits.ts';
import { restoreManifests } from '../history/restore-manifests.ts';
import { guardTags } from '../queries/immutability.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import {
  markManifestsRestored,
  markRestored,
  selectDeletedBackwards,
  type DecisionRow,
} from '../queries/retention-decisions.ts';
import { noteProgress } from '../queries/retention-runs.ts';
import { restoreTags, selectCharts, selectSparse, selectTrashOfRun } from '../queries/retention-undo.ts';
import { Refusal } from '../refusal.ts';
import { LostRun, type Working } from './delete-batch.ts';
import { finish } from './run-end.ts';

const BATCH = 400;

export async function undo(working: Working): Promise<void> {
  const { registry, run } = working;
  // Manifests first, all of them: a tag's may have been deleted in a transaction before.
  for (const kind of ['manifest', 'tag'] as const) {
    const restore = kind === 'manifest' ? restoreSome : restoreTheirTags;
    for (let before: number | null = null; ;) {
      const page: DecisionRow[] = await selectDeletedBackwards(registry.db, run.id, kind, before, BATCH);
      const groups = [...Map.groupBy(page, (row) => row.repositoryId)].sort(([a], [b]) => a - b);
      for (const [repositoryId, rows] of groups) await restore(working, repositoryId, rows);
      const last = page.at(-1);
      if (page.length < BATCH || !last) break;
      before = last.id;
    }
  }
  await finish(working, 'undone', run.bytes, run.error);
}

/** Together, or, when one of them is gone for good, each that can be. */
async function restoreSome(working: Working, repositoryId: number, rows: readonly DecisionRow[]): Promise<void> {
  try {
    await restoreTogether(working, repositoryId, rows);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (rows.length > 1) for (const row of rows) await restoreSome(working, repositoryId, [row]);
  }
}

async function restoreTogether(working: Working, repositoryId: number, rows: readonly DecisionRow[]): Promise<void> {
  const { registry, run } = working;
  await registry.db.transaction(async (tx) => {
    const ids = rows.map((row) => row.manifestId);
    const mine = await selectTrashOfRun(tx, run.id, ids);
    const sparse = await selectSparse(tx, repositoryId);
    if (mine.length === 0 || sparse === undefined) return;
    const options = { leaseSeconds: registry.clocks.lease };
    const back = await restoreManifests(tx, { id: repositoryId, sparse }, mine, options);
    await markManifestsRestored(
      tx,
      run.id,
      back.map(({ id }) => id),
    );
    await record(
      tx,
      working,
      repositoryId,
      back.map(({ digest, kind }) => ({ type: 'manifest.restored', data: { digest, kind, tags: [] } })),
    );
  });
}

async function restoreTheirTags(working: Working, repositoryId: number, rows: readonly DecisionRow[]): Promise<void> {
  const { registry, run } = working;
  await registry.db.transaction(async (tx) => {
    await guardTags(tx, repositoryId);
    const restored = await restoreTags(
      tx,
      repositoryId,
      rows.map((row) => row.id),
      run.undoneById,
    );
    const back = rows.filter((row) => restored.has(row.id));
    await markRestored(
      tx,
      back.map((row) => row.id),
    );
    // What is in a chart was read before; the job only lists it again.
    for (const manifestId of await selectCharts(
      tx,
      back.map((row) => row.manifestId),
    )) {
      await enqueue(tx, READ_CHART, { manifestId }, `${READ_CHART} ${manifestId}`);
    }
    await record(
      tx,
      working,
      repositoryId,
      back.map(({ name, digest }) => ({
        type: 'tag.restored',
        data: { tag: name, digest: digestFromBytes(digest), before: null },
      })),
    );
  });
}

async function record(
  tx: Transaction,
  { run, worker }: Working,
  repositoryId: number,
  events: readonly { type: string; data: Record<string, unknown> }[],
): Promise<void> {
  if (events.length > 0) {
    await bumpRepositoryEpoch(tx, repositoryId);
    const why = { reason: 'retention', run: run.id };
    await recordEvents(
      tx,
      { actorId: run.undoneById ?? 0, projectId: run.projectId, repositoryId },
      events.map(({ type, data }) => ({ type, data: { ...data, ...why } })),
    );
  }
  if (!(await noteProgress(tx, run.id, worker, { restored: events.length }))) throw new LostRun('taken over');
}
