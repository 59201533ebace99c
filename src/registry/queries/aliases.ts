import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH, rooted } from './paths.ts';

export interface AliasRow {
  /** As the table has it; what pages go by. */
  key: string;
  /** As clients may write it now. */
  alias: string;
  /** What it is the former name of; another project's, when it moved there. */
  path: string;
  project_id: number;
  created_at: Date;
}

/** Former names of the project, and of repositories that were in it, by key. */
export function selectAliases(db: Queryable, projectId: number, after: string, limit: number): Promise<AliasRow[]> {
  return db.query<AliasRow>(sql`
    (select a.name as key, a.name as alias, p.name as path, p.id as project_id, a.created_at
     from project_aliases a join projects p on p.id = a.project_id
     where a.project_id = ${projectId} and a.name > ${after} order by a.name limit ${limit})
    union all
    (select a.path, p.name || substr(a.path, length(p.root) + 1), ${PATH}, r.project_id, a.created_at
     from repository_aliases a join projects p on p.id = a.project_id join repositories r on r.id = a.repository_id
     where a.project_id = ${projectId} and a.path > ${after} order by a.path limit ${limit})
    order by key limit ${limit}`);
}

/** Undefined when the project has no such former name. The name is held. */
export function deleteProjectAlias(
  tx: Transaction,
  projectId: number,
  name: string,
): Promise<{ of: string } | undefined> {
  return tx.first<{ of: string }>(sql`
    delete from project_aliases a using projects p
    where a.name = ${name} and a.project_id = ${projectId} and p.id = a.project_id returning p.name as of`);
}

/** Undefined when no repository that was in the project has such a former name. */
export function deleteRepositoryAlias(
  tx: Transaction,
  projectId: number,
  path: string,
): Promise<{ repository_id: number; of: string } | undefined> {
  return tx.first<{ repository_id: number; of: string }>(sql`
    delete from repository_aliases a using repositories r
    where a.path = ${rooted(projectId, path)} and a.project_id = ${projectId} and r.id = a.repository_id
    returning r.id as repository_id, ${PATH} as of`);
}
