/** /projects/:project/grants: who may do what in a project. */
import { findGrant, listGrants, putGrant, removeGrant, type ProjectGrant } from '../auth/grants.ts';
import type { Database } from '../db/database.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './shapes.ts';

export function grantRoutes(db: Database): ApiRoute[] {
  return [
    define('GET', '/projects/:project/grants', {
      id: 'grants',
      policy: onProject('admin'),
      summary: 'Who may do what in a project',
      query: pageQuery,
      answer: pageOf(shapes.grant),
      run: async ({ target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor, 'number') ?? 0;
        const rows = await listGrants(db, projectId(target), { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showGrant);
      },
    }),
    define('PUT', '/projects/:project/grants', {
      id: 'grant-set',
      policy: onProject('admin'),
      summary: 'Give a right, or change the one that the subject has on the same paths and tags',
      body: shapes.newGrant,
      answer: shapes.grant,
      run: async ({ target, actor, body }) => {
        const { subject, subject_type, role, path_glob, tag_glob, create_only, expires_at } = body;
        const request = {
          subject,
          role,
          ...(subject_type !== undefined && { subjectType: subject_type }),
          ...(path_glob !== undefined && { pathGlob: path_glob }),
          ...(tag_glob !== undefined && { tagGlob: tag_glob }),
          ...(create_only !== undefined && { createOnly: create_only }),
          ...(expires_at !== undefined && { expiresAt: new Date(expires_at) }),
        };
        return shapes.showGrant(await putGrant(db, projectId(target), request, actor));
      },
    }),
    define('GET', '/projects/:project/grants/:grant', {
      id: 'grant',
      policy: onProject('admin'),
      summary: 'One right',
      answer: shapes.grant,
      run: async ({ target, params }) =>
        shapes.showGrant(await findGrant(db, projectId(target), idOf(params['grant']))),
    }),
    define('DELETE', '/projects/:project/grants/:grant', {
      id: 'grant-remove',
      conditional: true,
      policy: onProject('admin'),
      summary: 'Take a right away, from the next request on',
      run: async ({ target, actor, params, expect }) => {
        const check = (row: ProjectGrant) => expect(shapes.grant, shapes.showGrant(row));
        return removeGrant(db, projectId(target), idOf(params['grant']), actor, check);
      },
    }),
  ];
}
