import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { behindProject, rooted } from './paths.ts';

/** Keeps others from taking the names, or finding them free, until the transaction is over. In their order. */
export async function holdProjectNames(tx: Transaction, names: readonly string[]): Promise<void> {
  for (const name of [...new Set(names)].toSorted()) await tx.query(sql`select hold_project_name(${name})`);
}

export interface NamedProject {
  id: number;
  name: string;
}

/**
 * Locks projects against being renamed or removed, and against new repositories (trigger `repository_inserted`), in the order of
 * their ids. What is in them may be pushed and pulled meanwhile.
 */
export function lockNamed(tx: Transaction, ids: readonly number[]): Promise<NamedProject[]> {
  return tx.query<NamedProject>(sql`
    select id, name from projects where id = any (${ids}::bigint[]) order by id for no key update`);
}

/** The project that the name is, or was, the name of. The name is held. */
export function selectOwnerOfName(tx: Transaction, name: string): Promise<{ id: number; former: boolean } | undefined> {
  return tx.first<{ id: number; former: boolean }>(sql`
    select id, false as former from projects where name = ${name}
    union all select project_id, true from project_aliases where name = ${name} limit 1`);
}

/** Whether a path of the project would be longer than `longest` under a name of this length. */
export async function anyPathLonger(db: Queryable, projectId: number, name: string, longest: number): Promise<boolean> {
  const row = await db.first<{ found: boolean }>(sql`
    select exists (select from repositories r join projects p on p.id = r.project_id
                   where r.project_id = ${projectId} and length(r.path) > 190
                     and length(r.path) - length(p.root) + ${name.length}::int > ${longest}::int) as found`);
  return row!.found;
}

/** One row, whatever is in the project: its root stays, and everything else knows its id. */
export async function renameProjectRow(tx: Transaction, id: number, from: string, to: string): Promise<void> {
  await tx.query(sql`delete from project_aliases where name = ${to} and project_id = ${id}`);
  await tx.query(sql`update projects set name = ${to}, epoch = epoch + 1 where id = ${id}`);
  await tx.query(sql`insert into project_aliases (name, project_id) values (${from}, ${id})`);
}

/**
 * Locks a repository of the project. `update` keeps everything out that refers to it, so that a move counts what is there;
 * `name` lets pushes go on.
 */
export function lockNamedRepository(
  tx: Transaction,
  projectId: number,
  path: string,
  strength: 'name' | 'update',
): Promise<{ id: number } | undefined> {
  const lock = strength === 'update' ? sql`for update` : sql`for no key update`;
  return tx.first<{ id: number }>(sql`
    select id from repositories where path = ${rooted(projectId, path)} and project_id = ${projectId} ${lock}`);
}

/** What a path of the project is, or was, the path of. The project is locked. */
export function selectOwnerOfPath(
  tx: Queryable,
  projectId: number,
  path: string,
): Promise<{ id: number; former: boolean } | undefined> {
  return tx.first<{ id: number; former: boolean }>(sql`
    select id, false as former from repositories where path = ${rooted(projectId, path)}
    union all select repository_id, true from repository_aliases where path = ${rooted(projectId, path)} limit 1`);
}

/** Gives the repository a path in this or another project, and keeps the one that it had. */
export async function moveRepositoryRow(
  tx: Transaction,
  repositoryId: number,
  to: { projectId: number; path: string },
): Promise<void> {
  await tx.query(sql`
    delete from repository_aliases
    where path = ${rooted(to.projectId, to.path)} and repository_id = ${repositoryId}`);
  await tx.query(sql`
    insert into repository_aliases (path, repository_id, project_id)
    select path, id, project_id from repositories where id = ${repositoryId}`);
  await tx.query(sql`
    update repositories r set project_id = p.id, path = p.root || ${behindProject(to.path)}::text, epoch = r.epoch + 1
    from projects p where r.id = ${repositoryId} and p.id = ${to.projectId}`);
}

/** Locks the uploads that are under way to a repository, before the repository itself: the order in which pushes take them. */
export async function lockUploads(tx: Transaction, repositoryId: number): Promise<void> {
  await tx.query(sql`select from uploads where repository_id = ${repositoryId} order by id for update`);
}

/** Takes what the repository uses from one project's account to the other's. Its uploads are locked, and it is with `update`. */
export async function moveUsage(tx: Transaction, repositoryId: number, from: number, to: number): Promise<void> {
  await tx.query(sql`select move_usage(${repositoryId}, ${from}, ${to})`);
}
