/**
 * A repository moves to another project. Its id stays, and with it everything that is in it; what changes is whose it is. A job does
 * it, in one transaction that keeps pushes to this repository waiting for as long as the two projects' accounts take: some
 * seconds for a hundred thousand blobs. Pulls go on all the while.
 */
import type { Actor } from '../../auth/events.ts';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { enqueue } from '../../jobs/queue.ts';
import { ProjectError } from '../projects.ts';
import * as moves from '../queries/moves.ts';
import { lockNamed, lockNamedRepository, lockUploads, moveRepositoryRow, moveUsage } from '../queries/rename.ts';
import { Refusal } from '../refusal.ts';
import { MOVE_REPOSITORY } from './jobs.ts';
import { lockProjects, pathIn, type KnownProject } from './projects.ts';
import { noRepository, relistChart, requireFreePath } from './repositories.ts';

export type { MoveRow } from '../queries/moves.ts';

export interface WantedMove {
  readonly source: KnownProject;
  readonly target: KnownProject;
  /** Inside the projects. */
  readonly from: string;
  readonly to: string;
}

/**
 * Asks for a move, when nothing is in its way by now. Who may was decided before, for both projects.
 * @throws {ProjectError} validation-failed, not-found, name-taken, renamed, in-use
 */
export async function requestMove(db: Database, wanted: WantedMove, actor: Actor): Promise<moves.MoveRow> {
  const { source, target, from, to } = wanted;
  const [before, after] = [pathIn(source, from), pathIn(target, to)];
  if (source.id === target.id) {
    throw new ProjectError('validation-failed', 'Inside its project a repository is renamed, not moved.');
  }
  return db.transaction(async (tx) => {
    await lockProjects(tx, [source, target]);
    const repository = await lockNamedRepository(tx, source.id, before, 'name');
    if (!repository) throw noRepository(before);
    await requireFreePath(tx, target.id, after, repository.id);
    const row = { fromProjectId: source.id, toProjectId: target.id, fromPath: from, toPath: to, createdBy: actor.id };
    const id = await moves.insertMove(tx, { ...row, repositoryId: repository.id });
    if (id === undefined) throw new ProjectError('in-use', 'The repository is being moved already.');
    await enqueue(tx, MOVE_REPOSITORY, { moveId: id }, `${MOVE_REPOSITORY} ${id}`);
    return (await moves.selectMove(tx, id))!;
  });
}

/** The job. What is in the way by now ends the move with a sentence; run again after a crash, it does what is left. */
export async function moveRepository(db: Database, moveId: number): Promise<void> {
  const move = await moves.selectMove(db, moveId);
  if (!move || move.state === 'done' || move.state === 'failed') return;
  await moves.countMoved(db, moveId);
  try {
    await db.transaction((tx) => switchOver(tx, move));
  } catch (error) {
    if (!(error instanceof ProjectError || error instanceof Refusal)) throw error;
    await moves.finishMove(db, moveId, error.message);
  }
}

async function switchOver(tx: Transaction, move: moves.MoveRow): Promise<void> {
  const locked = await lockNamed(tx, [move.fromProjectId, move.toProjectId]);
  const source = locked.find(({ id }) => id === move.fromProjectId);
  const target = locked.find(({ id }) => id === move.toProjectId);
  // The move goes with either of them.
  if (!source || !target) return;
  const [before, after] = [pathIn(source, move.fromPath), pathIn(target, move.toPath)];
  await lockUploads(tx, move.repositoryId);
  const repository = await lockNamedRepository(tx, source.id, before, 'update');
  if (repository?.id !== move.repositoryId) throw noRepository(before);
  await requireFreePath(tx, target.id, after, repository.id);
  await moveRepositoryRow(tx, repository.id, { projectId: target.id, path: after });
  await relistChart(tx, repository.id, after);
  await moveUsage(tx, repository.id, source.id, target.id);
  if (!(await moves.finishMove(tx, move.id, null))) throw new Error(`Move ${move.id} was over before it was made`);
  // In both trails: one loses it, the other gets it.
  for (const { id } of [source, target].toSorted((a, b) => a.id - b.id)) {
    await recordEvent(tx, {
      type: 'repository.moved',
      actorId: move.createdBy ?? 0,
      projectId: id,
      repositoryId: repository.id,
      data: { repository: after, before: { path: before }, after: { path: after }, move: move.id },
    });
  }
}

export function listMoves(
  db: Queryable,
  projectId: number,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<moves.MoveRow[]> {
  return moves.selectMoves(db, projectId, page.before, page.limit);
}

/** @throws {ProjectError} not-found, also for one between other projects */
export async function findMove(db: Queryable, projectId: number, id: number): Promise<moves.MoveRow> {
  const move = await moves.selectMove(db, id);
  if (move && (move.fromProjectId === projectId || move.toProjectId === projectId)) return move;
  throw new ProjectError('not-found', 'The project has no such move.');
}
