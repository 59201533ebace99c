/** The list of repositories that a caller may pull from. */
import type { Principal } from '../auth/principal.ts';
import { selectRepositories } from './queries/repositories.ts';
import { selectVisibleProjects } from './queries/catalog.ts';
import type { Registry } from './registry.ts';
import { targetOf } from './scene.ts';

const BATCH = 500;
/** Rows looked at for one page. Who may see few of many gets shorter pages, each with a link to the next. */
const MAX_SCANNED = 5_000;
export const MAX_CATALOG_PAGE = 1_000;

/**
 * Up to `n` paths after `last`, in byte order. Projects narrow the search; within them the gate decides on each path, so
 * that a grant on part of a project shows that part only.
 */
export async function listCatalog(
  registry: Registry,
  principal: Principal,
  n: number,
  last: string,
): Promise<{ paths: string[]; next: string | undefined }> {
  const limit = Math.min(n, MAX_CATALOG_PAGE);
  if (limit === 0) return { paths: [], next: undefined };
  const me = await registry.scenes.resolve({ path: '', principalId: principal.id });
  const projects = new Map(
    (await selectVisibleProjects(registry.db, principal.id, principal.admin)).map((project) => [project.id, project]),
  );
  const paths: string[] = [];
  for (let [after, scanned] = [last, 0]; ;) {
    const rows = await selectRepositories(registry.db, principal.admin ? null : [...projects.keys()], after, BATCH);
    for (const row of rows) {
      const target = targetOf({ ...me, path: row.path, project: projects.get(row.project_id) });
      const verdict = await registry.gate.decide(withoutAccess(principal), 'pull', target);
      if (verdict.effect === 'deny') continue;
      paths.push(row.path);
      if (paths.length === limit) return { paths, next: row.path };
    }
    if (rows.length < BATCH) return { paths, next: undefined };
    after = rows.at(-1)?.path ?? after;
    scanned += rows.length;
    if (scanned >= MAX_SCANNED) return { paths, next: after };
  }
}

/** Tokens for the catalog list no repositories; what the subject may see is what counts. */
function withoutAccess({ access: _access, ...subject }: Principal): Principal {
  return subject;
}
