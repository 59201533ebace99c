/**
 * /projects/:project/holds: what has to stay. A hold takes away what the right to delete gives, so placing and releasing one
 * needs that right in the repository; whoever may pull sees it.
 */
import { settledDigest } from '../registry/files/build.ts';
import { findHold, listHolds, placeHold, releaseHold, type Hold } from '../registry/holds.ts';
import type { Digest } from '../blobs/digest.ts';
import type { Tag } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import * as shapes from './hold-shapes.ts';
import { referenceIn, requireRepository, type Located } from './in-repository.ts';
import { decodeCursor, page, pageOf } from './pages.ts';
import { notFound } from './problems.ts';
import { projectId } from './project-routes.ts';
import { visiblePage } from './visible.ts';

export function holdRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/projects/:project/holds', {
      id: 'holds',
      policy: onProject('see'),
      summary: 'What is held, in repositories that you may pull from',
      query: shapes.holdQuery,
      answer: pageOf(shapes.hold),
      run: async ({ principal, target, query: { limit, cursor, repository = null } }) => {
        const where = { projectId: projectId(target), repository };
        const rows = await visiblePage({
          after: String(decodeCursor(cursor, 'number') ?? 0),
          limit,
          read: (after, size) => listHolds(registry.db, { ...where, after: Number(after) }, size),
          keyOf: (row: Hold) => String(row.id),
          sees: async (row) =>
            (await registry.gate.decide(principal, 'pull', { ...target, path: row.repository })).effect !== 'deny',
        });
        return page(rows, limit, (row) => row.id, shapes.showHold);
      },
    }),
    define('PUT', '/projects/:project/holds', {
      id: 'hold-place',
      policy: onProject('see'),
      summary: 'Hold a manifest and all that it lists, or change the hold that its owner has there',
      body: shapes.newHold,
      answer: shapes.hold,
      run: async ({ principal, target, actor, body }) => {
        const reference = referenceIn(body);
        const where = { repository: body.repository, tag: reference.tag };
        const found = await requireRepository(registry, { principal, target }, where, 'delete');
        const hold = await placeHold(registry.db, {
          repository: found.repository,
          digest: reference.digest ?? (await digestOfTag(registry, found, reference.tag)),
          ownerKind: body.owner_kind,
          ownerId: body.owner_id,
          reason: body.reason,
          expiresAt: body.expires_at === undefined ? null : new Date(body.expires_at),
          actor,
        });
        return shapes.showHold(hold);
      },
    }),
    define('DELETE', '/projects/:project/holds/:hold', {
      id: 'hold-release',
      policy: onProject('see'),
      summary: 'Release a hold',
      run: async ({ principal, target, actor, params }) => {
        const hold = await findHold(registry.db, projectId(target), idOf(params['hold']));
        if (!hold) throw notFound();
        const { repository } = await requireRepository(registry, { principal, target }, hold, 'delete');
        await releaseHold(registry.db, repository, hold, actor);
      },
    }),
  ];
}

/** Where the tag of the scene points, once what it stands for is written. */
export async function digestOfTag(registry: Registry, { scene, repository }: Located, tag: Tag): Promise<Digest> {
  const digest = scene.tagStale ? await settledDigest(registry, repository, tag) : scene.tagDigest;
  if (digest === undefined) throw notFound();
  return digest;
}
