/** Projects: made, shown, changed and removed by people. */
import { recordChange, type Actor } from '../auth/events.ts';
import { whyNotCreatable } from '../auth/names.ts';
import { removeRobotsOf } from '../auth/robots.ts';
import { removeRulesOf } from '../auth/trust-rules.ts';
import type { Database, Queryable } from '../db/database.ts';
import * as rows from './queries/project-admin.ts';
import { insertOwner, insertProject } from './queries/repositories.ts';
import { forgetEmptied } from './queries/repository-delete.ts';

export interface Project {
  readonly id: number;
  readonly name: string;
  readonly kind: 'hosted' | 'proxy';
  readonly visibility: 'private' | 'public';
  readonly allowSparse: boolean;
  readonly createdAt: Date;
}

export interface ProjectChange {
  readonly visibility?: 'private' | 'public';
  readonly allowSparse?: boolean;
}

export class ProjectError extends Error {
  override readonly name = 'ProjectError';
  readonly problem: 'validation-failed' | 'name-taken' | 'not-found' | 'project-not-empty' | 'in-use' | 'renamed';
  constructor(problem: ProjectError['problem'], message: string) {
    super(message);
    this.problem = problem;
  }
}

/**
 * Makes a project that belongs to the actor. Who may was decided by the gate before.
 * @throws {ProjectError} validation-failed, name-taken
 */
export async function createProject(
  db: Database,
  project: {
    readonly name: string;
    /** Quota; undefined: without limit. */ readonly maxBytes?: number | undefined;
  } & ProjectChange,
  actor: Actor,
): Promise<Project> {
  const obstacle = whyNotCreatable(project.name);
  if (obstacle !== undefined) throw new ProjectError('validation-failed', obstacle);
  return db.transaction(async (tx) => {
    const id = await insertProject(tx, project.name, actor.id, project.maxBytes);
    if (id === undefined)
      throw new ProjectError('name-taken', `${project.name} is a project's name, or a former one that is still kept.`);
    await insertOwner(tx, id, actor.id);
    const made = await rows.updateProject(tx, id, project.visibility, project.allowSparse);
    await recordChange(tx, actor, {
      type: 'project.created',
      projectId: id,
      data: { project: made.name, visibility: made.visibility, allow_sparse: made.allowSparse },
    });
    return made;
  });
}

/** Undefined when there is none. */
export function findProject(db: Queryable, id: number): Promise<Project | undefined> {
  return rows.selectProject(db, id);
}

/**
 * By name, in byte order: projects in which the principal may see something.
 * @param viewer the principal's id (0: anonymous) and whether it sees all
 */
export function listProjects(
  db: Queryable,
  viewer: { readonly id: number; readonly admin: boolean },
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<Project[]> {
  return rows.selectProjectPage(db, viewer, page.after, page.limit);
}

/**
 * @param expect looks at the project as it is, under its lock; what it throws is thrown
 * @throws {ProjectError} not-found
 */
export async function changeProject(
  db: Database,
  id: number,
  change: ProjectChange,
  actor: Actor,
  expect: (before: Project) => void = () => {},
): Promise<Project> {
  return db.transaction(async (tx) => {
    const before = await rows.lockProject(tx, id);
    if (before === undefined) throw new ProjectError('not-found', 'The project has just been removed.');
    expect(before);
    const { visibility = before.visibility, allowSparse = before.allowSparse } = change;
    if (visibility === before.visibility && allowSparse === before.allowSparse) return before;
    const after = await rows.updateProject(tx, id, visibility, allowSparse);
    await recordChange(tx, actor, {
      type: 'project.updated',
      projectId: id,
      data: {
        project: after.name,
        before: { visibility: before.visibility, allow_sparse: before.allowSparse },
        after: { visibility: after.visibility, allow_sparse: after.allowSparse },
      },
    });
    return after;
  });
}

const FORGET_BATCH = 1_000;

/**
 * Removes a project without repositories; deleted ones count until nothing of them is left.
 * @param expect as with `changeProject`
 * @throws {ProjectError} not-found, project-not-empty
 */
export async function removeProject(
  db: Database,
  id: number,
  actor: Actor,
  expect: (before: Project) => void = () => {},
): Promise<void> {
  await db.transaction(async (tx) => {
    const project = await rows.lockProject(tx, id);
    if (project === undefined) throw new ProjectError('not-found', 'The project has just been removed.');
    expect(project);
    while ((await forgetEmptied(tx, id, FORGET_BATCH)) === FORGET_BATCH);
    if (await rows.anyRepository(tx, id)) {
      throw new ProjectError(
        'project-not-empty',
        `Delete the repositories of ${project.name} first, and wait for its trash to be emptied or purge it.`,
      );
    }
    await removeRobotsOf(tx, id);
    await removeRulesOf(tx, id);
    await rows.deleteProject(tx, id);
    await recordChange(tx, actor, {
      type: 'project.deleted',
      projectId: id,
      data: { project: project.name },
    });
  });
}

export interface RepositoryEntry {
  readonly path: string;
  readonly createdAt: Date;
}

/** By path, in byte order, whoever may see them. */
export function listRepositories(
  db: Queryable,
  projectId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<RepositoryEntry[]> {
  return rows.selectProjectRepositories(db, projectId, page.after, page.limit);
}
