/** /projects/:project/tags: the tags of one repository, with their pushes and pulls. */
import { z } from 'zod';
import { parseRepositoryPath } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { targetOf } from '../registry/scene.ts';
import { listTagEntries, type TagEntry } from '../registry/tag-list.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound } from './problems.ts';
import { projectId } from './project-routes.ts';
import { time } from './shapes.ts';

const tagEntry = z.object({
  name: z.string(),
  digest: z.string().optional().describe('Absent while files of the version arrive one by one.'),
  kind: z.enum(['image', 'index', 'chart', 'file', 'other']),
  media_type: z.string(),
  artifact_type: z.string().optional(),
  size: z.int().describe('Bytes of its manifest and of the blobs that this names; what an index lists is not counted.'),
  pushed_at: time.describe('When the tag was moved last.'),
  pushed_by: z.string().optional(),
  last_pulled_at: time.optional().describe('By this tag; up to a minute late.'),
  pulls: z.int(),
});

const showTag = (row: TagEntry): z.input<typeof tagEntry> => ({
  name: row.name,
  ...(row.digest && { digest: row.digest }),
  kind: row.kind,
  media_type: row.mediaType,
  ...(row.artifactType !== null && { artifact_type: row.artifactType }),
  size: row.size,
  pushed_at: row.pushedAt.toISOString(),
  ...(row.pushedBy !== null && { pushed_by: row.pushedBy }),
  ...(row.lastPulledAt && { last_pulled_at: row.lastPulledAt.toISOString() }),
  pulls: row.pulls,
});

const tagQuery = pageQuery.extend({
  repository: z.string().max(255).describe('Its whole path, as /projects/{project}/repositories lists it.'),
});

export function tagRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/projects/:project/tags', {
      id: 'tags',
      policy: onProject('see'),
      summary: 'The tags of a repository that you may pull from, by name, with size, push and last pull',
      query: tagQuery,
      answer: pageOf(tagEntry),
      run: async ({ principal, target, query: { limit, cursor, repository } }) => {
        const path = parseRepositoryPath(repository);
        const id = projectId(target);
        if (path === undefined) throw notFound();
        const scene = await registry.scenes.resolve({ path, principalId: principal.id });
        const { effect } = await registry.gate.decide(principal, 'pull', targetOf(scene));
        if (effect === 'deny' || !scene.repository || scene.project?.id !== id) throw notFound();
        const after = decodeCursor(cursor);
        const rows = await listTagEntries(registry.db, scene.repository.id, { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.name, showTag);
      },
    }),
  ];
}
