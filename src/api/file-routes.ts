/** /projects/:project/versions: versions of files, found by what CI said of them. */
import { digestFromBytes } from '../blobs/digest.ts';
import type { Target } from '../auth/principal.ts';
import { findByProperties } from '../registry/files/search.ts';
import type { Registry } from '../registry/registry.ts';
import { define, type ApiRoute } from './call.ts';
import * as shapes from './file-shapes.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import { visiblePage } from './visible.ts';

export function fileRoutes(registry: Registry): ApiRoute[] {
  return [
    define('GET', '/projects/:project/versions', {
      id: 'versions',
      policy: onProject('see'),
      summary: 'Versions of files in repositories that you may pull from, by repository and version',
      query: pageQuery.extend({ property: shapes.propertyQuery }),
      answer: pageOf(shapes.version),
      run: async ({ principal, target, query: { limit, cursor, property } }) => {
        const wanted = propertiesOf(property);
        const id = projectId(target);
        const mayPull = (path: string): Target => ({ ...target, path });
        const rows = await visiblePage({
          after: decodeCursor(cursor),
          limit,
          read: (after, size) => findByProperties(registry, id, wanted, after, size),
          keyOf: (row) => `${row.path} ${row.name}`,
          sees: async (row) => (await registry.gate.decide(principal, 'pull', mayPull(row.path))).effect !== 'deny',
        });
        return page(
          rows,
          limit,
          (row) => `${row.path} ${row.name}`,
          (row) => ({
            repository: row.path,
            version: row.name,
            ...(!row.stale && { digest: digestFromBytes(row.digest) }),
            final: row.final,
            properties: row.properties,
          }),
        );
      },
    }),
  ];
}

function propertiesOf(query: string | string[] | undefined): Record<string, string> {
  const all = query === undefined ? [] : Array.isArray(query) ? query : [query];
  const wanted = new Map<string, string>();
  for (const text of all) {
    const equals = text.indexOf('=');
    if (equals < 1 || /\p{Cc}/u.test(text)) throw new Problem('validation-failed', 'property is name=value.');
    wanted.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return Object.fromEntries(wanted);
}
