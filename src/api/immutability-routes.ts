/** /projects/:project/immutability: tags that never move. */
import type { Database } from '../db/database.ts';
import { createRule, listRules, removeRule } from '../registry/immutability-rules.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import * as shapes from './immutability-shapes.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { projectId } from './project-routes.ts';

export function immutabilityRoutes(db: Database): ApiRoute[] {
  return [
    define('GET', '/projects/:project/immutability', {
      id: 'immutability-rules',
      policy: onProject('see'),
      summary: 'Which tags of a project never move',
      query: pageQuery,
      answer: pageOf(shapes.rule),
      run: async ({ target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor, 'number') ?? 0;
        const rows = await listRules(db, projectId(target), { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showRule);
      },
    }),
    define('POST', '/projects/:project/immutability', {
      id: 'immutability-rule-create',
      policy: onProject('admin'),
      summary: 'Make tags immutable; once this is answered, none that matches moves any more',
      body: shapes.newRule,
      status: 201,
      answer: shapes.rule,
      run: async ({ target, actor, body: { path_glob, tag_glob, tag_except = null } }) => {
        const rule = { pathGlob: path_glob, tagGlob: tag_glob, tagExcept: tag_except };
        return shapes.showRule(await createRule(db, projectId(target), rule, actor));
      },
    }),
    define('DELETE', '/projects/:project/immutability/:rule', {
      id: 'immutability-rule-remove',
      policy: onProject('admin'),
      summary: 'Remove a rule; its tags move again',
      run: async ({ target, actor, params }) => removeRule(db, projectId(target), idOf(params['rule']), actor),
    }),
  ];
}
