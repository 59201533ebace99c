/** Where paths come from: the one place that knows how a repository's path is kept. */
import sql from 'sql-template-tag';

/** The path of the repository in the row `r` of `repositories`, as clients know it. */
export const PATH = sql`r.path`;
