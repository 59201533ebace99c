/** /projects/:project/quota: read by owners; set and recounted by administrators, so that nobody raises their own. */
import { isProjectName } from '../auth/names.ts';
import type { Facts, ProjectFacts } from '../auth/principal.ts';
import type { Database } from '../db/database.ts';
import { findQuota, recount, setLimits } from '../registry/quota/quota.ts';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, onProject } from './guard.ts';
import { notFound } from './problems.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './quota-shapes.ts';

export function quotaRoutes(db: Database, facts: Facts): ApiRoute[] {
  const show = async (id: number) => {
    const quota = await findQuota(db, id);
    if (quota === undefined) throw notFound();
    return shapes.showQuota(quota);
  };
  /** The policy of administrators looks at no project. */
  const named = async (name = ''): Promise<ProjectFacts> => {
    const { project } = isProjectName(name) ? await facts(name, 0) : {};
    if (project === undefined) throw notFound();
    return project;
  };
  return [
    define('GET', '/projects/:project/quota', {
      id: 'project-quota',
      policy: onProject('admin'),
      summary: 'What a project may have, and what it has',
      answer: shapes.quota,
      run: ({ target }) => show(projectId(target)),
    }),
    define('PUT', '/projects/:project/quota', {
      id: 'project-quota-set',
      policy: hubAdmin,
      summary: 'Limit what a project may have; a limit below what it has keeps more from coming',
      body: shapes.limits,
      answer: shapes.quota,
      run: async ({ params, actor, body: { max_bytes, max_artifacts } }) => {
        const project = await named(params['project']);
        await setLimits(db, project, { maxBytes: max_bytes, maxArtifacts: max_artifacts }, actor);
        return show(project.id);
      },
    }),
    define('POST', '/projects/:project/quota/recount', {
      id: 'project-quota-recount',
      policy: hubAdmin,
      summary: 'Count what a project has anew, and correct the counters where they differ',
      answer: shapes.recount,
      run: async ({ params, actor }) => shapes.showRecount(await recount(db, await named(params['project']), actor)),
    }),
  ];
}
