/** Yanking: a version is not found any more, but who has pinned it still gets it. */
import type { Actor } from '../../auth/events.ts';
import { digestToBytes } from '../../blobs/digest.ts';
import type { Database } from '../../db/database.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { deleteYank, insertYank } from '../queries/charts.ts';
import { lockTag } from '../queries/tags.ts';
import { Refusal } from '../refusal.ts';
import type { ChartRepository, ChartVersion } from './versions-of.ts';

interface Change {
  readonly repository: ChartRepository;
  readonly version: ChartVersion;
  readonly actor: Actor;
  /** Undefined takes the yank back. */
  readonly reason: string | undefined;
}

/** @throws {Refusal} MANIFEST_UNKNOWN when the version was deleted meanwhile */
export async function changeYank(db: Database, change: Change): Promise<void> {
  const { repository, version, actor, reason } = change;
  const content = digestToBytes(version.content);
  await db.transaction(async (tx) => {
    // A push of the version holds this lock, too: of the two, one sees the other.
    if (!(await lockTag(tx, repository.id, version.tag))) {
      throw new Refusal('MANIFEST_UNKNOWN', 'This version was deleted just now');
    }
    if (reason === undefined) await deleteYank(tx, repository.id, content);
    else await insertYank(tx, { repositoryId: repository.id, content, reason, actorId: actor.id || null });
    await recordEvent(tx, {
      type: reason === undefined ? 'chart.unyanked' : 'chart.yanked',
      actorId: actor.id,
      projectId: repository.projectId,
      repositoryId: repository.id,
      requestId: actor.requestId,
      data: { version: version.version, digest: version.content, ...(reason !== undefined && { reason }) },
    });
  });
}
