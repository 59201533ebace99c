/** /projects/:project/trash: what was deleted, listed and brought back by who may delete, purged by owners. */
import { purgeAll, purgeNamed, type PurgePlace } from '../registry/history/purge.ts';
import { listTrash, restoreFromTrash } from '../registry/history/trash.ts';
import type { Registry } from '../registry/registry.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { digestIn } from './history-routes.ts';
import * as shapes from './history-shapes.ts';
import { requireRepository } from './in-repository.ts';
import { decodeCursor, page, pageOf } from './pages.ts';
import { Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import { visiblePage } from './visible.ts';

export function trashRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/projects/:project/trash', {
      id: 'trash',
      policy: onProject('see'),
      summary: 'What was deleted in repositories where you may delete, latest first',
      query: shapes.trashQuery,
      answer: pageOf(shapes.trashEntry),
      run: async ({ principal, target, query: { limit, cursor, repository = null } }) => {
        const where = { projectId: projectId(target), repository };
        const rows = await visiblePage({
          after: decodeCursor(cursor),
          limit,
          read: (after, size) => listTrash(registry.db, { ...where, before: placeOf(after) }, size),
          keyOf: (row) => `${row.micros} ${row.id}`,
          sees: async (row) =>
            (await registry.gate.decide(principal, 'delete', { ...target, path: row.repository })).effect !== 'deny',
        });
        const show = shapes.showTrash(registry.clocks.undo);
        return page(rows, limit, (row) => `${row.micros} ${row.id}`, show);
      },
    }),
    define('POST', '/projects/:project/trash/restore', {
      id: 'trash-restore',
      policy: onProject('see'),
      summary: 'Bring manifests back from the trash, with what they list and the tags that they had',
      body: shapes.trashRestore,
      answer: shapes.trashRestored,
      run: async ({ principal, target, actor, body }) => {
        await requireRepository(registry, { principal, target }, body, 'delete');
        const found = await requireRepository(registry, { principal, target }, body, 'push');
        const { tags, referrers } = body;
        const digests = body.digests && [...new Set(body.digests.map(digestIn))];
        const requestId = actor.requestId ?? '';
        const request = { ...found, principal, requestId, digests, tags, referrers };
        return shapes.showRestored(await restoreFromTrash(registry, request));
      },
    }),
    define('POST', '/projects/:project/trash/purge', {
      id: 'trash-purge',
      policy: onProject('admin'),
      summary: 'Remove what is in the trash for good, at once',
      body: shapes.purge,
      answer: shapes.purged,
      run: async ({ principal, target, actor, body }) => {
        const how = { principal, requestId: actor.requestId ?? '', breakLeases: body.break_leases };
        const place = body.repository === undefined ? undefined : await placeAt(body.repository);
        if (body.digests === undefined) {
          return shapes.showPurged(await purgeAll(registry.db, { projectId: projectId(target), place }, how));
        }
        if (!place) throw new Problem('validation-failed', 'Say in which repository the digests are.');
        const digests = [...new Set(body.digests.map(digestIn))];
        return shapes.showPurged({ ...(await purgeNamed(registry.db, place, digests, how)), more: false });

        async function placeAt(repository: string): Promise<PurgePlace> {
          return (await requireRepository(registry, { principal, target }, { repository }, 'admin')).repository;
        }
      },
    }),
  ];
}

/** @throws {Problem} when the cursor is not one of ours */
function placeOf(after: string | undefined): { micros: number; id: number } | undefined {
  if (after === undefined) return undefined;
  const [micros, id] = after.split(' ').map(Number);
  if (Number.isSafeInteger(micros) && Number.isSafeInteger(id)) return { micros: micros as number, id: id as number };
  throw new Problem('validation-failed', 'Take the cursor from next_cursor of the page before.');
}
