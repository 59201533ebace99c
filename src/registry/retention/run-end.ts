/** The end of a run, or of its undoing: its row, and the event. */
import { recordEvent } from '../../jobs/outbox.ts';
import { finishRun, type RunRow } from '../queries/retention-runs.ts';
import { LostRun, type Working } from './delete-batch.ts';

export async function finish(
  { registry, run, worker }: Working,
  state: 'done' | 'undone',
  bytes: number,
  error: string | null,
): Promise<void> {
  await registry.db.transaction(async (tx) => {
    const ended = await finishRun(tx, run.id, worker, { state, bytes, error });
    if (!ended) throw new LostRun('taken over');
    await recordEvent(tx, {
      type: state === 'done' ? 'retention.run' : 'retention.undone',
      actorId: (state === 'done' ? run.startedById : run.undoneById) ?? 0,
      projectId: run.projectId,
      data: told(ended),
    });
  });
}

function told(run: RunRow) {
  return {
    run: run.id,
    trigger: run.trigger,
    tags_deleted: run.tagsDeleted,
    manifests_deleted: run.manifestsDeleted,
    tags_kept: run.tagsKept,
    manifests_kept: run.manifestsKept,
    skipped: run.skipped,
    restored: run.restored,
    bytes: run.bytes,
  };
}
