/** Robots and their tokens: /projects/:project/robots for owners, /robots (of the hub) for administrators. */
import { isRobotName } from '../auth/names.ts';
import type { Target } from '../auth/principal.ts';
import { changeRobot, createRobot, findRobot, listRobots, removeRobot, type Home, type Robot } from '../auth/robots.ts';
import { createToken, listTokens, revokeToken, type Owner } from '../auth/tokens.ts';
import type { Database } from '../db/database.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import * as people from './people-shapes.ts';
import { notFound } from './problems.ts';
import * as shapes from './shapes.ts';

export function robotRoutes(db: Database): ApiRoute[] {
  return [...routesUnder(db, '/projects/:project', ''), ...routesUnder(db, '', 'hub-')];
}

function routesUnder(db: Database, base: '' | '/projects/:project', prefix: '' | 'hub-'): ApiRoute[] {
  const policy = base === '' ? hubAdmin : onProject('admin');
  const whose = base === '' ? 'of the hub' : 'of a project';
  return [
    define('GET', `${base}/robots`, {
      id: `${prefix}robots`,
      policy,
      summary: `The robots ${whose}, by name`,
      query: pageQuery,
      answer: pageOf(people.robot),
      run: async ({ target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor);
        const rows = await listRobots(db, homeOf(target), { limit: limit + 1, ...(after !== undefined && { after }) });
        return page(rows, limit, (row) => row.name, people.showRobot);
      },
    }),
    define('POST', `${base}/robots`, {
      id: `${prefix}robot-create`,
      policy,
      summary: `Make a robot ${whose}; it may do what grants say, nothing at first`,
      body: people.newRobot,
      status: 201,
      answer: people.robot,
      run: async ({ target, actor, body: { name, description = '' } }) =>
        people.showRobot(await createRobot(db, homeOf(target), { name, description }, actor)),
    }),
    define('GET', `${base}/robots/:robot`, {
      id: `${prefix}robot`,
      policy,
      summary: `One robot ${whose}`,
      answer: people.robot,
      run: async ({ target, params }) => people.showRobot(await requireRobot(db, target, params['robot'])),
    }),
    define('PATCH', `${base}/robots/:robot`, {
      id: `${prefix}robot-change`,
      policy,
      summary: `Describe or disable a robot ${whose}; what it does ends at the next request`,
      body: people.robotChange,
      answer: people.robot,
      run: async ({ target, actor, params, body: { description, disabled } }) => {
        const change = {
          ...(description !== undefined && { description }),
          ...(disabled !== undefined && { disabled }),
        };
        return people.showRobot(await changeRobot(db, homeOf(target), nameOf(params['robot']), change, actor));
      },
    }),
    define('DELETE', `${base}/robots/:robot`, {
      id: `${prefix}robot-remove`,
      policy,
      summary: `Remove a robot ${whose}, with its tokens and grants`,
      run: async ({ target, actor, params }) => removeRobot(db, homeOf(target), nameOf(params['robot']), actor),
    }),
    define('GET', `${base}/robots/:robot/tokens`, {
      id: `${prefix}robot-tokens`,
      policy,
      summary: `The tokens of a robot ${whose}, newest first`,
      query: pageQuery,
      answer: pageOf(shapes.token),
      run: async ({ target, params, query: { limit, cursor } }) => {
        const robot = await requireRobot(db, target, params['robot']);
        const before = decodeCursor(cursor, 'number');
        const rows = await listTokens(db, robot.id, { limit: limit + 1, ...(before !== undefined && { before }) });
        return page(rows, limit, (row) => row.id, shapes.showToken);
      },
    }),
    define('POST', `${base}/robots/:robot/tokens`, {
      id: `${prefix}robot-token-create`,
      policy,
      summary: `Make a token for a robot ${whose}; it is shown in this answer only`,
      body: shapes.newToken,
      status: 201,
      answer: shapes.createdToken,
      run: async ({ target, actor, params, body: { name, actions, paths, expires_in_days } }) => {
        const owner = ownerOf(target, await requireRobot(db, target, params['robot']));
        const request = { name, actions, ...(paths && { paths }), expiresInDays: expires_in_days };
        const { token, row } = await createToken(db, owner, request, actor);
        return { ...shapes.showToken(row), token };
      },
    }),
    define('DELETE', `${base}/robots/:robot/tokens/:token`, {
      id: `${prefix}robot-token-revoke`,
      policy,
      summary: `Revoke a token of a robot ${whose}, from the next request on`,
      run: async ({ target, actor, params }) => {
        const owner = ownerOf(target, await requireRobot(db, target, params['robot']));
        await revokeToken(db, owner, idOf(params['token']), actor);
      },
    }),
  ];
}

/** The guard lets only targets with a project through, on paths that name one. */
function homeOf({ project }: Target): Home {
  return project === undefined ? { projectId: null } : { projectId: project.id, project: project.name };
}

function ownerOf({ project }: Target, { id }: Robot): Owner {
  return { id, kind: 'robot', ...(project !== undefined && { projectId: project.id }) };
}

/** @throws {Problem} not-found, also for a robot of another project */
async function requireRobot(db: Database, target: Target, name: string | undefined): Promise<Robot> {
  const robot = await findRobot(db, homeOf(target), nameOf(name));
  if (robot === undefined) throw notFound();
  return robot;
}

/** @throws {Problem} not-found for what cannot be a name */
function nameOf(text: string | undefined): string {
  if (text === undefined || !isRobotName(text)) throw notFound();
  return text;
}
