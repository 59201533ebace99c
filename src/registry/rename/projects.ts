/** A project gets another name: one row changes, whatever is in it, and the former name goes on working for who reads. */
import { recordChange, type Actor } from '../../auth/events.ts';
import { isRepositoryPath, LONGEST_PATH, movedSentence, whyNotCreatable } from '../../auth/names.ts';
import type { Database, Queryable, Transaction } from '../../db/database.ts';
import { ProjectError } from '../projects.ts';
import * as rows from '../queries/rename.ts';

/** As the request that wants the change knew it. */
export interface KnownProject {
  readonly id: number;
  readonly name: string;
}

/**
 * @returns false when it is called so already
 * @throws {ProjectError} validation-failed, name-taken, not-found, renamed when somebody else was first
 */
export async function renameProject(db: Database, project: KnownProject, to: string, actor: Actor): Promise<boolean> {
  await requireProjectName(db, project, to);
  return db.transaction(async (tx) => {
    await rows.holdProjectNames(tx, [project.name, to]);
    await lockProjects(tx, [project]);
    const owner = await rows.selectOwnerOfName(tx, to);
    if (owner && owner.id !== project.id) throw takenName(to);
    if (owner && !owner.former) return false;
    await rows.renameProjectRow(tx, project.id, project.name, to);
    await recordChange(tx, actor, {
      type: 'project.renamed',
      projectId: project.id,
      data: { project: to, before: { name: project.name }, after: { name: to } },
    });
    return true;
  });
}

/**
 * That a project can be called so at all.
 * @throws {ProjectError} validation-failed
 */
export async function requireProjectName(db: Queryable, project: KnownProject, to: string): Promise<void> {
  const obstacle = whyNotCreatable(to);
  if (obstacle !== undefined) throw new ProjectError('validation-failed', obstacle);
  if (!(await rows.anyPathLonger(db, project.id, to, LONGEST_PATH))) return;
  const reason = `With this name, paths in the project would be longer than ${LONGEST_PATH} characters.`;
  throw new ProjectError('validation-failed', reason);
}

/**
 * Locks the projects against renames and removal, by whatever else; in one order.
 * @throws {ProjectError} not-found, renamed
 */
export async function lockProjects(tx: Transaction, projects: readonly KnownProject[]): Promise<void> {
  const locked = await rows.lockNamed(
    tx,
    projects.map(({ id }) => id),
  );
  for (const { id, name } of projects) {
    const now = locked.find((row) => row.id === id);
    if (now === undefined) throw new ProjectError('not-found', 'The project has just been removed.');
    if (now.name !== name) {
      throw new ProjectError('renamed', `${movedSentence({ path: now.name, askedPath: name })}.`);
    }
  }
}

/** One sentence for names and former names: which of them it is, and whose, is for those who may see it. */
export function takenName(name: string): ProjectError {
  return new ProjectError('name-taken', `${name} is a name, or a former name that is still kept.`);
}

/**
 * The whole path of what a request names inside a project. A repository that is called like its project alone has no path inside it.
 * @throws {ProjectError} validation-failed
 */
export function pathIn(project: KnownProject, inside: string): string {
  const path = `${project.name}/${inside}`;
  if (isRepositoryPath(path)) return path;
  throw new ProjectError(
    'validation-failed',
    `${JSON.stringify(inside.slice(0, 100))} is no path of a repository: lower-case words with slashes between them, ` +
      `${LONGEST_PATH} characters with the project's name.`,
  );
}
