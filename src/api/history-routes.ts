/** What was, what a delete would come to, and the way back: tags of a project, and whole repositories. */
import { parseDigest, type Digest } from '../blobs/digest.ts';
import { settledDigest } from '../registry/files/build.ts';
import { deleteRepository } from '../registry/history/delete-repository.ts';
import { previewDelete } from '../registry/history/preview.ts';
import { restoreTag } from '../registry/history/restore-tag.ts';
import { listMoves } from '../registry/history/tag-history.ts';
import { parseTag, type Tag } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import * as shapes from './history-shapes.ts';
import { referenceIn, requireRepository } from './in-repository.ts';
import { decodeCursor, page, pageOf } from './pages.ts';
import { Problem } from './problems.ts';

export function historyRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/projects/:project/tags/history', {
      id: 'tag-history',
      policy: onProject('see'),
      summary: 'What the tags of a repository said before: who moved them, when, and what can be restored',
      query: shapes.historyQuery,
      answer: pageOf(shapes.move),
      run: async ({ principal, target, query: { limit, cursor, ...where } }) => {
        const tag = where.tag === undefined ? undefined : tagIn(where.tag);
        const before = decodeCursor(cursor, 'number') ?? Number.MAX_SAFE_INTEGER;
        const found = await requireRepository(registry, { principal, target }, { ...where, tag });
        // What its files stand for now belongs to the history.
        if (tag !== undefined && found.scene.tagStale) await settledDigest(registry, found.repository, tag);
        const at = { repositoryId: found.repository.id, tag: tag ?? null, before };
        return page(await listMoves(registry.db, at, limit + 1), limit, (row) => row.id, shapes.showMove);
      },
    }),
    define('POST', '/projects/:project/restore', {
      id: 'tag-restore',
      policy: onProject('see'),
      summary: 'Move a tag back to what it said before, out of the trash if that is there',
      body: shapes.restoreTag,
      answer: shapes.tagRestored,
      run: async ({ principal, target, actor, body }) => {
        const [tag, digest] = [tagIn(body.tag), digestIn(body.digest)];
        const where = { repository: body.repository, tag };
        const found = await requireRepository(registry, { principal, target }, where, 'push');
        const requestId = actor.requestId ?? '';
        const done = await restoreTag(registry, { ...found, principal, requestId, tag, digest });
        return {
          tag,
          digest,
          ...(done.before && { before: done.before }),
          moved: done.before !== undefined,
          from_trash: [...done.manifests],
        };
      },
    }),
    define('POST', '/projects/:project/delete-preview', {
      id: 'delete-preview',
      policy: onProject('see'),
      summary: 'What deleting a tag or a manifest would come to; nothing is changed',
      body: shapes.previewOf,
      answer: shapes.preview,
      run: async ({ principal, target, body }) => {
        const reference = referenceIn(body);
        const where = { repository: body.repository, tag: reference.tag };
        const found = await requireRepository(registry, { principal, target }, where, 'delete');
        return shapes.showPreview(await previewDelete(registry, { ...found, principal }, reference));
      },
    }),
    define('DELETE', '/projects/:project/repositories', {
      id: 'repository-delete',
      policy: onProject('admin'),
      summary: 'Delete a repository with all that is in it; it can be restored from the trash',
      query: shapes.repositoryQuery,
      answer: shapes.repositoryDeleted,
      run: async ({ principal, target, actor, query }) => {
        const { repository } = await requireRepository(registry, { principal, target }, query, 'admin');
        const requestId = actor.requestId ?? '';
        const { manifests, later } = await deleteRepository(registry, { repository, principal, requestId });
        return { manifests, done: !later };
      },
    }),
  ];
}

function tagIn(text: string): Tag {
  const tag = parseTag(text);
  if (tag === undefined) throw new Problem('validation-failed', `${JSON.stringify(text)} is not a tag.`);
  return tag;
}

/** @throws {Problem} when it is none */
export function digestIn(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new Problem('validation-failed', 'A digest is sha256: and 64 hexadecimal digits.');
  return digest;
}
