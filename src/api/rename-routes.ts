/** Names that change: of projects and of repositories, and the former names that are kept. */
import { isProjectName } from '../auth/names.ts';
import type { Facts, Gate, Principal, Target } from '../auth/principal.ts';
import type { Database } from '../db/database.ts';
import { noteDecision } from '../jobs/origin.ts';
import { listAliases, releaseAlias, type AliasRow } from '../registry/rename/aliases.ts';
import { effectsOf } from '../registry/rename/effects.ts';
import { findMove, listMoves, requestMove, type MoveRow } from '../registry/rename/moves.ts';
import { pathIn, renameProject, requireProjectName, type KnownProject } from '../registry/rename/projects.ts';
import { renameRepository } from '../registry/rename/repositories.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import * as shapes from './rename-shapes.ts';

interface Parts {
  readonly db: Database;
  readonly gate: Gate;
  readonly facts: Facts;
}

export function renameRoutes({ db, gate, facts }: Parts): ApiRoute[] {
  /** The new name has to be within the limits of the credential, too. */
  async function requireAdminOf(principal: Principal, target: Target): Promise<void> {
    const { effect, reason } = await gate.decide(principal, 'admin', target);
    noteDecision(effect === 'deny' ? 'deny' : 'allow', reason);
    if (effect === 'deny') throw new Problem('forbidden', `This needs the right to admin ${target.path} as well.`);
  }

  /** The other project, as its administrator knows it; for others there is none. */
  async function targetProject(principal: Principal, name: string): Promise<{ facts: Target; project: KnownProject }> {
    const target = isProjectName(name) ? await facts(name, principal.id) : undefined;
    if (!target?.project || (await gate.sees(principal, target)).effect === 'deny') {
      throw new Problem('validation-failed', 'Name a project that you are an owner of.', {
        faults: [{ at: '/to_project', message: 'There is no such project, or you may not see it' }],
      });
    }
    await requireAdminOf(principal, target);
    return { facts: target, project: target.project };
  }

  /** Who may see only one side of a move learns nothing of the other. */
  async function moveFor(principal: Principal, target: Target, row: MoveRow) {
    const mine = projectOf(target).id;
    const sees = async (id: number, name: string): Promise<boolean> =>
      id === mine || (await gate.sees(principal, await facts(name, principal.id))).effect !== 'deny';
    const from = await sees(row.fromProjectId, row.fromProject);
    return shapes.showMove(row, { from, to: await sees(row.toProjectId, row.toProject) });
  }

  return [
    define('POST', '/projects/:project/rename', {
      id: 'project-rename',
      policy: onProject('admin'),
      summary: 'Give the project another name; the old one goes on working for who reads',
      body: shapes.projectRename,
      answer: shapes.renamed,
      run: async ({ target, principal, actor, body: { name, dry_run: dryRun } }) => {
        const project = projectOf(target);
        await requireProjectName(db, project, name);
        await requireAdminOf(principal, { ...target, path: name });
        const place = (path: string) => ({ projectId: project.id, path });
        const effects = await effectsOf(db, { before: place(project.name), after: place(name) }, principal.id);
        if (!dryRun) await renameProject(db, project, name, actor);
        return shapes.showRenamed({ before: project.name, after: name, dryRun }, effects);
      },
    }),
    define('POST', '/projects/:project/repositories/rename', {
      id: 'repository-rename',
      policy: onProject('admin'),
      summary: 'Give a repository another name in its project; the old one goes on working for who reads',
      body: shapes.repositoryRename,
      answer: shapes.renamed,
      run: async ({ target, principal, actor, body: { from, to, dry_run: dryRun } }) => {
        const project = projectOf(target);
        const [before, after] = [pathIn(project, from), pathIn(project, to)];
        for (const path of [before, after]) await requireAdminOf(principal, { ...target, path });
        const place = (path: string) => ({ projectId: project.id, path });
        const effects = await effectsOf(db, { before: place(before), after: place(after) }, principal.id);
        if (!dryRun) await renameRepository(db, project, { from, to }, actor);
        return shapes.showRenamed({ before, after, dryRun }, effects);
      },
    }),
    define('POST', '/projects/:project/repositories/move', {
      id: 'repository-move',
      policy: onProject('admin'),
      summary: 'Move a repository to another project that you own, as a job',
      body: shapes.repositoryMove,
      status: 202,
      answer: shapes.moveRequested,
      run: async ({ target, principal, actor, body: { from, to_project, to, dry_run: dryRun } }) => {
        const [source, other] = [projectOf(target), await targetProject(principal, to_project)];
        const [before, after] = [pathIn(source, from), pathIn(other.project, to)];
        await requireAdminOf(principal, { ...target, path: before });
        await requireAdminOf(principal, { ...other.facts, path: after });
        const places = {
          before: { projectId: source.id, path: before },
          after: { projectId: other.project.id, path: after },
        };
        const shown = shapes.showRenamed({ before, after, dryRun }, await effectsOf(db, places, principal.id));
        if (dryRun) return shown;
        const move = await requestMove(db, { source, target: other.project, from, to }, actor);
        return { ...shown, move: shapes.showMove(move, { from: true, to: true }) };
      },
    }),
    define('GET', '/projects/:project/moves', {
      id: 'moves',
      policy: onProject('admin'),
      summary: 'Repositories that move, or moved, into the project or out of it; newest first',
      query: pageQuery,
      answer: pageOf(shapes.move),
      run: async ({ target, principal, query: { limit, cursor } }) => {
        const before = decodeCursor(cursor, 'number');
        const rows = await listMoves(db, projectOf(target).id, { before, limit: limit + 1 });
        const shown = page(
          rows,
          limit,
          (row) => row.id,
          (row) => row,
        );
        return { ...shown, items: await Promise.all(shown.items.map((row) => moveFor(principal, target, row))) };
      },
    }),
    define('GET', '/projects/:project/moves/:move', {
      id: 'move',
      policy: onProject('admin'),
      summary: 'One move, and how far it is',
      answer: shapes.move,
      run: async ({ target, principal, params }) =>
        moveFor(principal, target, await findMove(db, projectOf(target).id, idOf(params['move']))),
    }),
    define('GET', '/projects/:project/aliases', {
      id: 'aliases',
      policy: onProject('admin'),
      summary: 'Former names of the project, and of repositories that were in it: what still works for who reads',
      query: pageQuery,
      answer: pageOf(shapes.alias),
      run: async ({ target, principal, query: { limit, cursor } }) => {
        const project = projectOf(target);
        const rows = await listAliases(db, project.id, { after: decodeCursor(cursor), limit: limit + 1 });
        const shown = page(
          rows,
          limit,
          (row) => row.key,
          (row) => row,
        );
        const show = async ({ alias, path, project_id, created_at }: AliasRow) => {
          const moved = project_id !== project.id;
          const hidden =
            moved && (await gate.decide(principal, 'pull', await facts(path, principal.id))).effect === 'deny';
          return { alias, ...(!hidden && { name: path }), created_at: created_at.toISOString() };
        };
        return { ...shown, items: await Promise.all(shown.items.map(show)) };
      },
    }),
    define('DELETE', '/projects/:project/aliases/:alias', {
      id: 'alias-release',
      policy: onProject('admin'),
      summary: 'Let go of a former name (%2F for its slashes): it stops to work, and anybody may take it',
      run: async ({ target, actor, params }) => releaseAlias(db, projectOf(target), params['alias'] ?? '', actor),
    }),
  ];
}

/** The guard lets only targets with a project through, and only by the name that it has. */
function projectOf({ project }: Target): KnownProject {
  if (project === undefined) throw notFound();
  return project;
}
