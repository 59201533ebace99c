/** What someone may do, and which rule says so: the gate's own verdicts. */
import { explainPrincipal, explainSubject, type Question } from '../auth/explain.ts';
import { isRepositoryPath } from '../auth/names.ts';
import type { Facts, Gate } from '../auth/principal.ts';
import type { Database } from '../db/database.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject, signedIn } from './guard.ts';
import { notFound, Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './shapes.ts';

interface Parts {
  readonly db: Database;
  readonly gate: Gate;
  readonly facts: Facts;
}

export function explainRoutes({ db, gate, facts }: Parts): ApiRoute[] {
  return [
    define('GET', '/projects/:project/explain', {
      id: 'explain',
      policy: onProject('admin'),
      summary: 'What someone may do in a project, and which rule says so',
      query: shapes.explainQuery,
      answer: shapes.explanation,
      run: async ({ params, target, query: { subject, subject_type, path, ...query } }) => {
        const project = params['project'] as string;
        const question = questionOf({ ...query, path: path === undefined ? project : `${project}/${path}` });
        const type = subject_type ?? (subject === 'everyone' ? 'everyone' : 'user');
        return shapes.showExplanation(
          await explainSubject({ db, gate, facts }, { type, name: subject, projectId: projectId(target) }, question),
          question,
        );
      },
    }),
    define('GET', '/me/explain', {
      id: 'my-explain',
      policy: signedIn,
      summary: 'What you may do with the credentials of this request, and which rule says so',
      query: shapes.myExplainQuery,
      answer: shapes.explanation,
      run: async ({ principal, query }) => {
        const question = questionOf(query);
        const target = await facts(question.path, principal.id);
        // Rules of a project that does not show would tell that it is there.
        if ((await gate.sees(principal, target)).effect === 'deny') throw notFound();
        return shapes.showExplanation(await explainPrincipal(gate, principal, target, question), question);
      },
    }),
  ];
}

type ExplainQuery = { readonly [name in keyof Question]: Question[name] | undefined };

function questionOf({ action, path, tag, change }: ExplainQuery): Question {
  if (action === undefined || path === undefined || !isRepositoryPath(path)) {
    throw new Problem('validation-failed', 'Name a repository, such as team/app, in lower case.', {
      faults: [{ at: 'path', message: 'Not a path of a repository' }],
    });
  }
  return { action, path, ...(tag !== undefined && { tag }), ...(change !== undefined && { change }) };
}
