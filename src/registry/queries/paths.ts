/**
 * Where paths come from: the one place that knows how a repository's path is kept. The table has the project's `root` in front,
 * which never changes; clients see the project's name there. So a project is renamed by one row, whatever it holds.
 */
import sql, { type Sql } from 'sql-template-tag';

/** The path of the repository in the row `r` of `repositories`, as clients know it. */
export const PATH = sql`(select named.name || substr(r.path, length(named.root) + 1) from projects named where named.id = r.project_id)`;

/** What is behind the first component of a path that clients know: `/web/api` of `acme/web/api`, nothing of `acme`. */
export function behindProject(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? '' : path.slice(slash);
}

/**
 * A path as the table has it, of a project by its id. The first component of `path` does not count: it is a name that the
 * project has, or had when somebody noted the path. To compare with `r.path`, by its index.
 */
export function rooted(projectId: number, path: string): Sql {
  return sql`((select rooted.root from projects rooted where rooted.id = ${projectId}) || ${behindProject(path)}::text)`;
}
