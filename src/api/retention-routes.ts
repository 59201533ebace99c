/** /projects/:project/retention: the policy, what it would do, what it did, and taking that back. */
import type { Database } from '../db/database.ts';
import { findPolicy, missingPolicy, removePolicy, setPolicy, type Policy } from '../registry/retention/policies.ts';
import type { PreviewPlace } from '../registry/retention/preview.ts';
import { listDecisions, listRuns, requireRun, startRun, undoRun, type Run } from '../registry/retention/runs.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { decodeCursor, encodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './retention-shapes.ts';

const BASE = '/projects/:project/retention';
const RUN = `${BASE}/runs/:run`;
const policy = onProject('admin');

export function retentionRoutes(db: Database): ApiRoute[] {
  const runOf = (project: number, id: string | undefined): Promise<Run> => {
    if (id === undefined || !/^\d{1,15}$/.test(id)) throw notFound();
    return requireRun(db, project, Number(id));
  };
  return [
    define('GET', BASE, {
      id: 'retention-policy',
      policy,
      summary: 'What the project keeps, as rules',
      answer: shapes.policy,
      run: async ({ target }) => {
        const found = await findPolicy(db, projectId(target));
        if (!found) throw missingPolicy();
        return shapes.showPolicy(found);
      },
    }),
    define('PUT', BASE, {
      id: 'retention-policy-set',
      conditional: true,
      policy,
      summary: 'Set the rules, and the hour of the daily run; nothing is deleted before a run',
      body: shapes.newPolicy,
      answer: shapes.policy,
      run: async ({ target, actor, expect, body: { rules, enabled = true, daily_hour: dailyHour = null } }) => {
        const check = (before: Policy | undefined) => before && expect(shapes.policy, shapes.showPolicy(before));
        return shapes.showPolicy(await setPolicy(db, projectId(target), { rules, enabled, dailyHour }, actor, check));
      },
    }),
    define('DELETE', BASE, {
      id: 'retention-policy-remove',
      conditional: true,
      policy,
      summary: 'Keep everything from now on',
      run: async ({ target, actor, expect }) =>
        removePolicy(db, projectId(target), actor, (before) => expect(shapes.policy, shapes.showPolicy(before))),
    }),
    define('POST', `${BASE}/preview`, {
      id: 'retention-preview',
      policy,
      summary: 'What a run would delete and keep now, and why; of the stored policy or of a draft',
      query: pageQuery,
      body: shapes.previewRequest,
      answer: shapes.previewPage,
      run: async ({ target, query: { limit, cursor }, body: { rules, show: shown = 'deleted' } }) => {
        const id = projectId(target);
        const used = rules ?? (await findPolicy(db, id))?.rules;
        if (!used) throw missingPolicy();
        const from = cursor === undefined ? undefined : placeOf(cursor);
        // Loaded when it is wanted: many a hub keeps everything.
        const { preview } = await import('../registry/retention/preview.ts');
        const { totals, decisions, next } = await preview(db, { projectId: id, rules: used, shown, limit, from });
        return {
          ...(totals && { totals: shapes.showTotals(totals) }),
          items: decisions.map(shapes.showDecision),
          ...(next && { next_cursor: encodeCursor(`${next.repository} ${next.index} ${next.at}`) }),
        };
      },
    }),
    define('GET', `${BASE}/runs`, {
      id: 'retention-runs',
      policy,
      summary: 'The runs of the last 90 days, newest first',
      query: pageQuery,
      answer: pageOf(shapes.run),
      run: async ({ target, query: { limit, cursor } }) => {
        const before = decodeCursor(cursor, 'number');
        const rows = await listRuns(db, projectId(target), { before, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showRun);
      },
    }),
    define('POST', `${BASE}/runs`, {
      id: 'retention-run-start',
      policy,
      summary: 'Carry the stored policy out, in the background',
      status: 201,
      answer: shapes.run,
      run: async ({ target, actor }) => shapes.showRun(await startRun(db, projectId(target), actor)),
    }),
    define('GET', RUN, {
      id: 'retention-run',
      policy,
      summary: 'How a run goes, or went',
      answer: shapes.run,
      run: async ({ target, params }) => shapes.showRun(await runOf(projectId(target), params['run'])),
    }),
    define('GET', `${RUN}/decisions`, {
      id: 'retention-run-decisions',
      policy,
      summary: 'What a run deleted or left, and why, in the order in which it did',
      query: pageQuery,
      answer: pageOf(shapes.decision),
      run: async ({ target, params, query: { limit, cursor } }) => {
        const run = await runOf(projectId(target), params['run']);
        const after = decodeCursor(cursor, 'number');
        const rows = await listDecisions(db, run, { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, shapes.showDecision);
      },
    }),
    define('POST', `${RUN}/undo`, {
      id: 'retention-run-undo',
      policy,
      summary: 'Bring back what a run deleted, in the background; the daily run is switched off',
      answer: shapes.run,
      run: async ({ target, actor, params }) => {
        const run = await runOf(projectId(target), params['run']);
        return shapes.showRun(await undoRun(db, projectId(target), run.id, actor));
      },
    }),
  ];
}

/** @throws {Problem} when it is no cursor of a preview */
function placeOf(cursor: string): PreviewPlace {
  const [repository, index, at] = decodeCursor(cursor)!.split(' ').map(Number);
  if (Number.isSafeInteger(repository) && Number.isSafeInteger(index) && Number.isFinite(at)) {
    return { repository: repository!, index: index!, at: at! };
  }
  throw new Problem('validation-failed', 'Take the cursor from next_cursor of the page before.', {
    faults: [{ at: 'cursor', message: 'Not a cursor of this list' }],
  });
}
