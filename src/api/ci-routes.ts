/** Which builds a project lets in, and those that came: /projects/:project/trust-rules and /ci-sessions, for its owners. */
import { listSessions, revokeSession } from '../auth/ci-sessions.ts';
import type { Target } from '../auth/principal.ts';
import { checkToken } from '../auth/trust-check.ts';
import { changeRule, createRule, findRule, listRules, removeRule, type RuleHome } from '../auth/trust-rules.ts';
import { idOf, nameOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import * as shapes from './ci-shapes.ts';
import { onProject } from './guard.ts';
import type { IssuerDoor } from './issuer-routes.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound } from './problems.ts';

const policy = onProject('admin');

export function ciRoutes({ db, issuerKeys }: IssuerDoor): ApiRoute[] {
  return [
    define('GET', '/projects/:project/trust-rules', {
      id: 'trust-rules',
      policy,
      summary: 'Which builds the project lets in, by name',
      query: pageQuery,
      answer: pageOf(shapes.rule),
      run: async ({ target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor);
        const { projectId } = homeOf(target);
        const rows = await listRules(db, projectId, { limit: limit + 1, ...(after !== undefined && { after }) });
        return page(rows, limit, (row) => row.name, shapes.showRule);
      },
    }),
    define('POST', '/projects/:project/trust-rules', {
      id: 'trust-rule-create',
      policy,
      summary: 'Let builds in whose tokens fit; they may do what grants to the rule say, nothing at first',
      body: shapes.newRule,
      status: 201,
      answer: shapes.rule,
      run: async ({ target, actor, body: { session_minutes, ...request } }) => {
        const wanted = { ...request, ...(session_minutes !== undefined && { sessionMinutes: session_minutes }) };
        return shapes.showRule(await createRule(db, homeOf(target), wanted, actor));
      },
    }),
    define('POST', '/projects/:project/trust-rules/check', {
      id: 'trust-rule-check',
      policy,
      summary: 'What each trust rule says to a token, and why; the token is not kept, and opens no session',
      body: shapes.pastedToken,
      answer: shapes.check,
      run: async ({ target, body: { token } }) =>
        shapes.showCheck(await checkToken({ db, keys: issuerKeys }, homeOf(target).projectId, token)),
    }),
    define('GET', '/projects/:project/trust-rules/:rule', {
      id: 'trust-rule',
      policy,
      summary: 'One trust rule',
      answer: shapes.rule,
      run: async ({ target, params }) => {
        const row = await findRule(db, homeOf(target).projectId, nameOf(params['rule']));
        if (row === undefined) throw notFound();
        return shapes.showRule(row);
      },
    }),
    define('PATCH', '/projects/:project/trust-rules/:rule', {
      id: 'trust-rule-change',
      policy,
      summary: 'Change or disable a trust rule; its sessions end, and open again where tokens are good and still fit',
      body: shapes.ruleChange,
      answer: shapes.rule,
      conditional: true,
      run: async ({ target, actor, params, expect, body: { audience, claims, session_minutes, disabled } }) => {
        const change = {
          ...(audience !== undefined && { audience }),
          ...(claims && { claims }),
          ...(session_minutes !== undefined && { sessionMinutes: session_minutes }),
          ...(disabled !== undefined && { disabled }),
        };
        const row = await changeRule(db, homeOf(target), nameOf(params['rule']), change, actor, (before) =>
          expect(shapes.rule, shapes.showRule(before)),
        );
        return shapes.showRule(row);
      },
    }),
    define('DELETE', '/projects/:project/trust-rules/:rule', {
      id: 'trust-rule-remove',
      policy,
      summary: 'Remove a trust rule, with its sessions and grants',
      run: async ({ target, actor, params }) => removeRule(db, homeOf(target), nameOf(params['rule']), actor),
    }),
    define('GET', '/projects/:project/ci-sessions', {
      id: 'ci-sessions',
      policy,
      summary: 'Sessions of builds, newest first; those that are over stay for a week',
      query: pageQuery,
      answer: pageOf(shapes.ciSession),
      run: async ({ target, query: { limit, cursor } }) => {
        const before = decodeCursor(cursor, 'number');
        const { projectId } = homeOf(target);
        const rows = await listSessions(db, projectId, { limit: limit + 1, ...(before !== undefined && { before }) });
        return page(rows, limit, (row) => row.id, shapes.showCiSession);
      },
    }),
    define('DELETE', '/projects/:project/ci-sessions/:session', {
      id: 'ci-session-revoke',
      policy,
      summary: 'End the session of a build from the next request on; its token opens no other under the same rule',
      run: async ({ target, actor, params }) =>
        revokeSession(db, homeOf(target).projectId, idOf(params['session']), actor),
    }),
  ];
}

/** The guard lets only targets with a project through. */
function homeOf({ project }: Target): RuleHome {
  if (project === undefined) throw notFound();
  return { projectId: project.id, project: project.name };
}
