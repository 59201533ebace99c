/** /projects and the repositories in them. */
import { limitsShow } from '../auth/gate.ts';
import { whyNotCreatable } from '../auth/names.ts';
import type { Gate, Target } from '../auth/principal.ts';
import type { Database } from '../db/database.ts';
import { noteDecision } from '../jobs/origin.ts';
import {
  changeProject,
  createProject,
  findProject,
  listProjects,
  listRepositories,
  removeProject,
  type Project,
} from '../registry/projects.ts';
import type { Registry } from '../registry/registry.ts';
import { define, type ApiRoute } from './call.ts';
import { anyone, onProject, signedIn } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import * as shapes from './shapes.ts';
import { visiblePage } from './visible.ts';

export function projectRoutes(db: Database, gate: Gate, registry: Pick<Registry, 'limits'>): ApiRoute[] {
  return [
    define('GET', '/projects', {
      id: 'projects',
      policy: anyone,
      summary: 'The projects that you may see something in, by name',
      query: pageQuery,
      answer: pageOf(shapes.project),
      run: async ({ principal, query: { limit, cursor } }) => {
        const rows = await visiblePage({
          after: decodeCursor(cursor),
          limit,
          read: (after, size) => listProjects(db, principal, { after, limit: size }),
          keyOf: (row) => row.name,
          sees: (row) => limitsShow(principal.limits, row.name),
        });
        return page(rows, limit, (row) => row.name, shapes.showProject);
      },
    }),
    define('POST', '/projects', {
      id: 'project-create',
      policy: signedIn,
      summary: 'Make a project that you own; pushing to a new name does the same',
      body: shapes.newProject,
      status: 201,
      answer: shapes.project,
      run: async ({ principal, target, actor, body: { name, visibility, allow_sparse } }) => {
        const obstacle = whyNotCreatable(name);
        if (obstacle !== undefined) throw new Problem('validation-failed', obstacle);
        const verdict = await gate.decide(principal, 'push', { ...target, path: name, project: undefined });
        if (verdict.effect === 'deny') {
          noteDecision('deny', verdict.reason);
          throw new Problem('forbidden', 'Ask an administrator to make the project for you.');
        }
        noteDecision('allow', verdict.reason);
        const settings = {
          ...(visibility && { visibility }),
          ...(allow_sparse !== undefined && { allowSparse: allow_sparse }),
        };
        return shapes.showProject(
          await createProject(db, { name, maxBytes: registry.limits.projectBytes, ...settings }, actor),
        );
      },
    }),
    define('GET', '/projects/:project', {
      id: 'project',
      policy: onProject('see'),
      summary: 'One project',
      answer: shapes.project,
      run: async ({ target }) => {
        const row = await findProject(db, projectId(target));
        if (row === undefined) throw notFound();
        return shapes.showProject(row);
      },
    }),
    define('PATCH', '/projects/:project', {
      id: 'project-change',
      conditional: true,
      policy: onProject('admin'),
      summary: 'Change visibility or rules; holds from the next request on',
      body: shapes.projectChange,
      answer: shapes.project,
      run: async ({ target, actor, expect, body: { visibility, allow_sparse } }) => {
        const change = {
          ...(visibility && { visibility }),
          ...(allow_sparse !== undefined && { allowSparse: allow_sparse }),
        };
        const check = (row: Project) => expect(shapes.project, shapes.showProject(row));
        return shapes.showProject(await changeProject(db, projectId(target), change, actor, check));
      },
    }),
    define('DELETE', '/projects/:project', {
      id: 'project-delete',
      conditional: true,
      policy: onProject('admin'),
      summary: 'Remove a project that holds no repositories',
      run: async ({ target, actor, expect }) =>
        removeProject(db, projectId(target), actor, (row) => expect(shapes.project, shapes.showProject(row))),
    }),
    define('GET', '/projects/:project/repositories', {
      id: 'project-repositories',
      policy: onProject('see'),
      summary: 'The repositories of a project that you may pull from, by path',
      query: pageQuery,
      answer: pageOf(shapes.repository),
      run: async ({ principal, target, query: { limit, cursor } }) => {
        const rows = await visiblePage({
          after: decodeCursor(cursor),
          limit,
          read: (after, size) => listRepositories(db, projectId(target), { after, limit: size }),
          keyOf: (row) => row.path,
          sees: async (row) => (await gate.decide(principal, 'pull', { ...target, path: row.path })).effect !== 'deny',
        });
        return page(rows, limit, (row) => row.path, shapes.showRepository);
      },
    }),
  ];
}

/** The guard lets only targets with a project through. */
export function projectId(target: Target): number {
  if (target.project === undefined) throw notFound();
  return target.project.id;
}
