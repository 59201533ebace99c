/** Brings back what a run deleted: manifests that are still in the trash by its doing, and tags whose names are free. */
import { digestFromBytes } from '../../blobs/digest.ts';
import { recordEvents } from '../../jobs/outbox.ts';
import { enqueue } from '../../jobs/queue.ts';
import { READ_CHART } from '../charts/limits.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import { markRestored, selectDeletedBackwards, type DecisionRow } from '../queries/retention-decisions.ts';
import { noteProgress } from '../queries/retention-runs.ts';
import { restoreOfRun, restoreTags, selectCharts } from '../queries/retention-undo.ts';
import { LostRun, type Working } from './delete-batch.ts';
import { finish } from './run-end.ts';

const BATCH = 400;

export async function undo(working: Working): Promise<void> {
  const { registry, run } = working;
  // Manifests first, all of them: a tag's may have been deleted in a transaction before.
  for (const kind of ['manifest', 'tag'] as const) {
    for (let before: number | null = null; ;) {
      const page: DecisionRow[] = await selectDeletedBackwards(registry.db, run.id, kind, before, BATCH);
      for (const rows of byRepository(page)) await restore(working, rows);
      const last = page.at(-1);
      if (page.length < BATCH || !last) break;
      before = last.id;
    }
  }
  await finish(working, 'undone', run.bytes, run.error);
}

function byRepository(page: readonly DecisionRow[]): DecisionRow[][] {
  const groups = new Map<number, DecisionRow[]>();
  for (const row of page) {
    const group = groups.get(row.repositoryId);
    if (group) group.push(row);
    else groups.set(row.repositoryId, [row]);
  }
  return [...groups.values()].sort((a, b) => a[0]!.repositoryId - b[0]!.repositoryId);
}

/** Of one repository and one kind. */
async function restore({ registry, run, worker }: Working, decisions: readonly DecisionRow[]): Promise<void> {
  const { repositoryId, kind } = decisions[0]!;
  const actorId = run.undoneById;
  await registry.db.transaction(async (tx) => {
    const ids = decisions.map((row) => row.manifestId);
    let back: DecisionRow[];
    if (kind === 'manifest') {
      const restored = await restoreOfRun(tx, run.id, ids);
      back = decisions.filter((row) => restored.has(row.manifestId));
    } else {
      const restored = await restoreTags(
        tx,
        repositoryId,
        decisions.map((row) => row.id),
        actorId,
      );
      back = decisions.filter((row) => restored.has(row.id));
      for (const manifestId of await selectCharts(
        tx,
        back.map((row) => row.manifestId),
      )) {
        await enqueue(tx, READ_CHART, { manifestId }, `${READ_CHART} ${manifestId}`);
      }
    }
    if (back.length > 0) {
      await markRestored(
        tx,
        back.map((row) => row.id),
      );
      await bumpRepositoryEpoch(tx, repositoryId);
      await recordEvents(
        tx,
        { actorId: actorId ?? 0, projectId: run.projectId, repositoryId },
        back.map(({ name, digest }) => ({
          type: name === null ? 'manifest.restored' : 'tag.restored',
          data: {
            ...(name !== null && { tag: name }),
            digest: digestFromBytes(digest),
            reason: 'retention',
            run: run.id,
          },
        })),
      );
    }
    if (!(await noteProgress(tx, run.id, worker, { restored: back.length }))) throw new LostRun('taken over');
  });
}
