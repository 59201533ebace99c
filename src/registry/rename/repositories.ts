/** A repository gets another name inside its project. What is in it knows its id, so this costs the same however much that is. */
import { recordEvent } from '../../jobs/outbox.ts';
import { enqueue } from '../../jobs/queue.ts';
import type { Actor } from '../../auth/events.ts';
import type { Database, Transaction } from '../../db/database.ts';
import { placeOf } from '../charts/names.ts';
import { ProjectError } from '../projects.ts';
import * as charts from '../queries/rename-charts.ts';
import * as rows from '../queries/rename.ts';
import { LIST_CHARTS_OF } from './jobs.ts';
import { lockProjects, pathIn, takenName, type KnownProject } from './projects.ts';

/**
 * @param from and `to`, inside the project
 * @returns the path that it has now
 * @throws {ProjectError} validation-failed, not-found, name-taken, renamed
 */
export async function renameRepository(
  db: Database,
  project: KnownProject,
  { from, to }: { readonly from: string; readonly to: string },
  actor: Actor,
): Promise<string> {
  const [before, after] = [pathIn(project, from), pathIn(project, to)];
  await db.transaction(async (tx) => {
    await lockProjects(tx, [project]);
    const repository = await rows.lockNamedRepository(tx, project.id, before, 'name');
    if (!repository) throw noRepository(before);
    if (before === after) return;
    await requireFreePath(tx, project.id, after, repository.id);
    await rows.moveRepositoryRow(tx, repository.id, { projectId: project.id, path: after });
    await relistChart(tx, repository.id, after);
    await recordEvent(tx, {
      type: 'repository.renamed',
      actorId: actor.id,
      requestId: actor.requestId,
      projectId: project.id,
      repositoryId: repository.id,
      data: { repository: after, before: { path: before }, after: { path: after } },
    });
  });
  return after;
}

/**
 * That nothing else is, or was, called so. The project is locked.
 * @throws {ProjectError} name-taken
 */
export async function requireFreePath(
  tx: Transaction,
  projectId: number,
  path: string,
  repositoryId: number,
): Promise<void> {
  const owner = await rows.selectOwnerOfPath(tx, projectId, path);
  // Its own former name it may take back.
  if (owner && !(owner.former && owner.id === repositoryId)) throw takenName(path);
}

/** A chart is listed where its repository's path says, if the path ends with its name: the rule that pushes are recorded by. */
export async function relistChart(tx: Transaction, repositoryId: number, path: string): Promise<void> {
  const place = placeOf(path);
  const listed = await charts.selectChartName(tx, repositoryId);
  if (listed !== undefined && listed === place?.name) return charts.moveChart(tx, repositoryId);
  if (listed !== undefined) await charts.deleteChart(tx, repositoryId);
  // What was no chart by its former name may be one now.
  if (await charts.anyChart(tx, repositoryId)) {
    await enqueue(tx, LIST_CHARTS_OF, { repositoryId }, `${LIST_CHARTS_OF} ${repositoryId}`);
  }
}

export function noRepository(path: string): ProjectError {
  return new ProjectError('not-found', `There is no repository ${path}; a former name has to be given as it is now.`);
}
