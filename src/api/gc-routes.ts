/** /gc: garbage collection, for administrators of the hub. */
import { holdBytes, listGcHolds, releaseBytes, type GcHoldRow } from '../registry/gc/holds.ts';
import { previewCollection } from '../registry/gc/preview.ts';
import type { Counts } from '../registry/gc/run.ts';
import { describeCollection, listRuns, requestCollection, type Queue, type RunRow } from '../registry/gc/runs.ts';
import type { Registry } from '../registry/registry.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import * as shapes from './gc-shapes.ts';
import { hubAdmin } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';

export function gcRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/gc', {
      id: 'gc',
      policy: hubAdmin,
      summary: 'Where garbage collection stands: what waits, what is due, how many bytes',
      answer: shapes.state,
      run: async () => {
        const { trash, subjects, links, blobs, objects, ...state } = await describeCollection(registry);
        const { undo, delay, bytesDelay, lease } = registry.clocks;
        return {
          ...state,
          clocks: { undo_seconds: undo, delay_seconds: delay, bytes_delay_seconds: bytesDelay, lease_seconds: lease },
          trash: showQueue(trash),
          subjects: showQueue(subjects),
          links: showQueue(links),
          blobs: showQueue(blobs),
          objects: { ...showQueue(objects), bytes: objects.bytes },
        };
      },
    }),
    define('GET', '/gc/runs', {
      id: 'gc-runs',
      policy: hubAdmin,
      summary: 'What runs of the last 90 days removed, newest first; runs that found nothing are not listed',
      query: pageQuery,
      answer: pageOf(shapes.run),
      run: async ({ query: { limit, cursor } }) => {
        const rows = await listRuns(registry.db, cursorOf(cursor), limit + 1);
        return page(rows, limit, (row) => `${row.started} ${row.id}`, showRun);
      },
    }),
    define('POST', '/gc/preview', {
      id: 'gc-preview',
      policy: hubAdmin,
      summary: 'A dry run: what a run that began now would remove',
      answer: shapes.counts,
      run: async () => showCounts(await previewCollection(registry, registry.limits)),
    }),
    define('POST', '/gc/run', {
      id: 'gc-run',
      policy: hubAdmin,
      summary: 'Collect now rather than within the minute; GET /gc/runs has the report',
      run: ({ actor }) => requestCollection(registry.db, actor),
    }),
    define('GET', '/gc/holds', {
      id: 'gc-holds',
      policy: hubAdmin,
      summary: 'What keeps all bytes in the store',
      query: pageQuery,
      answer: pageOf(shapes.hold),
      run: async ({ query: { limit, cursor } }) => {
        const rows = await listGcHolds(registry.db, decodeCursor(cursor, 'number') ?? 0, limit + 1);
        return page(rows, limit, (row) => row.id, showHold);
      },
    }),
    define('POST', '/gc/holds', {
      id: 'gc-hold-create',
      policy: hubAdmin,
      summary: 'Keep all bytes in the store until it expires, as while a backup is taken',
      body: shapes.newHold,
      status: 201,
      answer: shapes.hold,
      run: async ({ body, actor }) => {
        const { owner_kind: ownerKind, owner_id: ownerId, reason, expires_in_seconds: seconds } = body;
        return showHold(await holdBytes(registry.db, { ownerKind, ownerId, reason, seconds }, actor));
      },
    }),
    define('DELETE', '/gc/holds/:hold', {
      id: 'gc-hold-release',
      policy: hubAdmin,
      summary: 'Let bytes go again',
      run: async ({ params, actor }) => {
        if (!(await releaseBytes(registry.db, idOf(params['hold']), actor))) throw notFound();
      },
    }),
  ];
}

function showCounts({ objectBytes, ...counts }: Counts) {
  return { ...counts, object_bytes: objectBytes };
}

function showQueue({ waiting, due, oldestDue }: Queue) {
  return { waiting, due, oldest_due: oldestDue?.toISOString() ?? null };
}

function showRun({ started_at, finished_at, running, ...row }: RunRow) {
  const state =
    finished_at === null ? (running ? ('running' as const) : ('interrupted' as const)) : ('finished' as const);
  return { ...row, state, started_at: started_at.toISOString(), finished_at: finished_at?.toISOString() ?? null };
}

function showHold({ id, created_at, expires_at, ...row }: GcHoldRow) {
  return { ...row, id: String(id), created_at: created_at.toISOString(), expires_at: expires_at.toISOString() };
}

function cursorOf(cursor: string | undefined) {
  const text = decodeCursor(cursor);
  if (text === undefined) return undefined;
  const [, started, id] = /^(\d{4}-[0-9: .+-]{5,40}) ([0-9a-f-]{36})$/.exec(text) ?? [];
  if (started === undefined || id === undefined) {
    throw new Problem('validation-failed', 'Take the cursor from next_cursor of the page before.', {
      faults: [{ at: 'cursor', message: 'Not a cursor of this list' }],
    });
  }
  return { started, id };
}
