import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface RobotRow {
  id: number;
  name: string;
  account: string;
  description: string;
  disabled: boolean;
  createdAt: Date;
}

const COLUMNS = sql`p.id, r.name, p.name as account, r.description, p.disabled_at is not null as disabled,
  p.created_at as "createdAt"`;

/** Undefined when the name is taken. */
export function insertRobot(
  tx: Queryable,
  robot: { projectId: number | null; name: string; account: string; description: string; createdBy: number },
): Promise<RobotRow | undefined> {
  return tx.first<RobotRow>(sql`
    with p as (
      insert into principals (kind, name) values ('robot', ${robot.account}) on conflict do nothing
      returning id, name, disabled_at, created_at
    ), r as (
      insert into robots (principal_id, project_id, name, description, created_by)
      select id, ${robot.projectId}, ${robot.name}, ${robot.description}, ${robot.createdBy || null} from p
      returning *
    )
    select ${COLUMNS} from p join r on r.principal_id = p.id`);
}

/** Of a project, or of the hub (null); by name, in byte order, after `after`. */
export function selectRobots(
  db: Queryable,
  projectId: number | null,
  after: string | undefined,
  limit: number,
): Promise<RobotRow[]> {
  return db.query<RobotRow>(sql`
    select ${COLUMNS} from robots r join principals p on p.id = r.principal_id
    where r.project_id is not distinct from ${projectId} and r.name > ${after ?? ''} order by r.name limit ${limit}`);
}

export function selectRobot(db: Queryable, projectId: number | null, name: string): Promise<RobotRow | undefined> {
  return db.first<RobotRow>(sql`
    select ${COLUMNS} from robots r join principals p on p.id = r.principal_id
    where r.project_id is not distinct from ${projectId} and r.name = ${name}`);
}

/** Locks the robot against every other change. */
export function lockRobot(tx: Queryable, projectId: number | null, name: string): Promise<RobotRow | undefined> {
  return tx.first<RobotRow>(sql`
    select ${COLUMNS} from robots r join principals p on p.id = r.principal_id
    where r.project_id is not distinct from ${projectId} and r.name = ${name} for update`);
}

export async function updateRobot(tx: Queryable, id: number, description: string): Promise<void> {
  await tx.query(sql`update robots set description = ${description} where principal_id = ${id}`);
}

/** With its tokens, grants and memberships. */
export async function deleteRobot(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from principals where id = ${id} and kind = 'robot'`);
}

/** Robots go with their project: a principal that nobody can see must not keep its tokens. */
export async function deleteRobotsOf(tx: Queryable, projectId: number): Promise<void> {
  await tx.query(sql`
    delete from principals where kind = 'robot' and id in (select principal_id from robots where project_id = ${projectId})`);
}
