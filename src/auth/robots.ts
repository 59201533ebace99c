/**
 * Robots: accounts for machines. A robot belongs to a project, whose owners make it, or to the hub. It has no rights of its
 * own: grants name it like a person, and its tokens narrow them.
 */
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isRobotName } from './names.ts';
import { bumpPrincipal, disablePrincipal } from './queries/accounts.ts';
import * as rows from './queries/robots.ts';

export interface Robot {
  readonly id: number;
  /** What its project calls it. */
  readonly name: string;
  /** What everyone else does, `docker login` included: safe in a shell. */
  readonly account: string;
  readonly description: string;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** Where a robot belongs. */
export type Home = { readonly projectId: number; readonly project: string } | { readonly projectId: null };

export interface RobotChange {
  readonly description?: string;
  readonly disabled?: boolean;
}

/** @throws {AccountError} name-invalid, name-taken */
export async function createRobot(
  db: Database,
  home: Home,
  request: { readonly name: string; readonly description?: string },
  actor: Actor,
): Promise<Robot> {
  const { name, description = '' } = request;
  if (!isRobotName(name)) {
    throw new AccountError(
      'name-invalid',
      'A robot is named with at most 32 lower-case letters and digits, with single . or _ between them.',
    );
  }
  return db.transaction(async (tx) => {
    const robot = await rows.insertRobot(tx, {
      projectId: home.projectId,
      name,
      account: accountOf(home, name),
      description,
      createdBy: actor.id,
    });
    if (robot === undefined) throw new AccountError('name-taken', `There is a robot ${name} already.`);
    await record(tx, actor, home, 'robot.created', { robot: robot.account, description });
    return robot;
  });
}

/** By name, in byte order. */
export function listRobots(
  db: Queryable,
  home: Home,
  page: { readonly after?: string; readonly limit: number },
): Promise<Robot[]> {
  return rows.selectRobots(db, home.projectId, page.after, page.limit);
}

export function findRobot(db: Queryable, home: Home, name: string): Promise<Robot | undefined> {
  return rows.selectRobot(db, home.projectId, name);
}

/**
 * Disabling ends whatever the robot does, from the next request on.
 * @throws {AccountError} not-found
 */
export async function changeRobot(
  db: Database,
  home: Home,
  name: string,
  change: RobotChange,
  actor: Actor,
): Promise<Robot> {
  return db.transaction(async (tx) => {
    const before = await requireRobot(tx, home, name);
    const { description = before.description, disabled = before.disabled } = change;
    if (description === before.description && disabled === before.disabled) return before;
    await rows.updateRobot(tx, before.id, description);
    await disablePrincipal(tx, before.id, disabled);
    await bumpPrincipal(tx, before.id);
    await record(tx, actor, home, 'robot.updated', {
      robot: before.account,
      before: { description: before.description, disabled: before.disabled },
      after: { description, disabled },
    });
    return { ...before, description, disabled };
  });
}

/**
 * Removes the robot with its tokens and grants. A new one of the same name starts with nothing.
 * @throws {AccountError} not-found
 */
export async function removeRobot(db: Database, home: Home, name: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const robot = await requireRobot(tx, home, name);
    await rows.deleteRobot(tx, robot.id);
    await record(tx, actor, home, 'robot.removed', { robot: robot.account });
  });
}

/** When a project goes; in its transaction. */
export function removeRobotsOf(tx: Transaction, projectId: number): Promise<void> {
  return rows.deleteRobotsOf(tx, projectId);
}

async function requireRobot(tx: Transaction, home: Home, name: string): Promise<Robot> {
  const robot = await rows.lockRobot(tx, home.projectId, name);
  if (robot === undefined) throw new AccountError('not-found', `There is no robot ${name}.`);
  return robot;
}

/** No other project's robot can be called that: a robot's own name has no dash, so the last one ends the project's. */
function accountOf(home: Home, name: string): string {
  return home.projectId === null ? `robot-${name}` : `robot-${home.project}-${name}`;
}

function record(tx: Transaction, actor: Actor, home: Home, type: string, data: Record<string, unknown>): Promise<void> {
  return recordChange(tx, actor, { type, ...(home.projectId !== null && { projectId: home.projectId }), data });
}
