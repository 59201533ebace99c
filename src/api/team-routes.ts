/** /teams and who is in them. */
import {
  addMember,
  createTeam,
  findTeam,
  listMembers,
  listTeams,
  removeMember,
  removeTeam,
  teamsOf,
} from '../auth/teams.ts';
import type { Database } from '../db/database.ts';
import { nameOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, signedIn } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import * as people from './people-shapes.ts';
import { notFound } from './problems.ts';

export function teamRoutes(db: Database): ApiRoute[] {
  return [
    define('GET', '/me/teams', {
      id: 'my-teams',
      policy: signedIn,
      summary: 'The teams that you are in, by name',
      answer: people.myTeams,
      run: async ({ principal }) => ({ items: (await teamsOf(db, principal.id)).map((name) => ({ name })) }),
    }),
    define('GET', '/teams', {
      id: 'teams',
      policy: signedIn,
      summary: 'All teams, by name: whoever owns a project can give them rights',
      query: pageQuery,
      answer: pageOf(people.team),
      run: async ({ query: { limit, cursor } }) => {
        const after = decodeCursor(cursor);
        const rows = await listTeams(db, { limit: limit + 1, ...(after !== undefined && { after }) });
        return page(rows, limit, (row) => row.name, people.showTeam);
      },
    }),
    define('POST', '/teams', {
      id: 'team-create',
      policy: hubAdmin,
      summary: 'Make a team',
      body: people.newTeam,
      status: 201,
      answer: people.team,
      run: async ({ actor, body: { name } }) => people.showTeam(await createTeam(db, name, actor)),
    }),
    define('GET', '/teams/:team', {
      id: 'team',
      policy: signedIn,
      summary: 'One team',
      answer: people.team,
      run: async ({ params }) => {
        const row = await findTeam(db, nameOf(params['team']));
        if (row === undefined) throw notFound();
        return people.showTeam(row);
      },
    }),
    define('DELETE', '/teams/:team', {
      id: 'team-remove',
      policy: hubAdmin,
      summary: 'Remove a team, with all that was granted to it',
      run: async ({ actor, params }) => removeTeam(db, nameOf(params['team']), actor),
    }),
    define('GET', '/teams/:team/members', {
      id: 'team-members',
      policy: hubAdmin,
      summary: 'Who is in a team, and who says so',
      query: pageQuery,
      answer: pageOf(people.member),
      run: async ({ params, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor);
        const rows = await listMembers(db, nameOf(params['team']), {
          limit: limit + 1,
          ...(after !== undefined && { after }),
        });
        return page(rows, limit, (row) => row.name, people.showMember);
      },
    }),
    define('PUT', '/teams/:team/members/:user', {
      id: 'team-member-add',
      policy: hubAdmin,
      summary: 'Put a user into a team, from the next request on',
      run: async ({ actor, params }) => addMember(db, nameOf(params['team']), nameOf(params['user']), actor),
    }),
    define('DELETE', '/teams/:team/members/:user', {
      id: 'team-member-remove',
      policy: hubAdmin,
      summary: 'Take a user out of a team, unless the groups of a sign-in say so too',
      run: async ({ actor, params }) => removeMember(db, nameOf(params['team']), nameOf(params['user']), actor),
    }),
  ];
}
