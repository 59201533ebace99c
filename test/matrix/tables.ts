/** Every route of every door, by import: a route that is new is in the matrix at once. */
import { documentRoute } from '../../src/api/document-route.ts';
import { apiRoutes } from '../../src/api/routes.ts';
import { toRoute } from '../../src/api/call.ts';
import { authRoutes } from '../../src/auth/routes.ts';
import { filesRoutes } from '../../src/files/routes.ts';
import { helmRoutes } from '../../src/helm/routes.ts';
import { ociRoutes } from '../../src/oci/routes.ts';
import { unknownDigest } from '../harness/oci-client.ts';
import { filesOf, namespaceOf, TAG, type Place } from './policy.ts';

export interface Line {
  readonly door: 'oci' | 'helm' | 'files' | 'auth' | 'api';
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

/** Handlers are made but never called, so they need nothing. */
const nothing = { publicUrls: [] } as never;

export const LINES: readonly Line[] = [
  ...ociRoutes(nothing).map((line) => ({ door: 'oci' as const, ...line })),
  ...helmRoutes(nothing).map((line) => ({ door: 'helm' as const, ...line })),
  ...filesRoutes(nothing).map((line) => ({ door: 'files' as const, ...line })),
  ...authRoutes(nothing).map((line) => ({ door: 'auth' as const, ...line })),
  ...[...apiRoutes(nothing), documentRoute({})].map((line) => ({ door: 'api' as const, ...toRoute(line) })),
].map(({ door, id, method, path }) => ({ door, id, method, path }));

export const UNKNOWN = unknownDigest();

/** Children that nobody has: whoever is let through gets 404 or 400 for them, and nothing is changed. */
const CHILDREN: Readonly<Record<string, string>> = {
  digest: UNKNOWN,
  reference: TAG,
  id: '00000000-0000-4000-8000-000000000000',
  user: 'no-such-user',
  grant: '999999999',
  session: '999999999',
  share: '999999999',
  hold: '999999999',
  move: '999999999',
  chart: 'web',
  name: 'web',
  version: '1.2.3',
  file: 'web-1.2.3.tgz',
  robot: 'matrix',
  token: '999999999',
  run: '999999999',
  hook: '999999999',
  delivery: '999999999',
};

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

interface Particular {
  readonly children?: Record<string, string>;
  readonly query?: string;
  readonly body?: string;
}

/** What makes a route stop after its guard, where a default child and body do not. */
const PARTICULAR: Readonly<Record<string, Particular>> = {
  'end-4': { query: '?digest=none' },
  'end-4/': { query: '?digest=none' },
  'end-6': { query: `?digest=${UNKNOWN}` },
  'end-7': { children: { reference: 'sha256:none' } },
  // What is let through to delete must not find it.
  'helm-delete': { children: { version: '9.9.9' } },
  'api-chart-yank': { children: { version: '9.9.9' }, body: '{"reason":"none"}' },
  'api-chart-unyank': { children: { version: '9.9.9' } },
  'api-chart-diff': { query: '?from=1.2.3' },
  'api-robot-remove': { children: { robot: 'none' } },
  'api-my-explain': { query: '?none=1' },
  'api-explain': { query: '?none=1' },
  'api-audit-export': { query: '?none=1' },
  'api-project-audit-export': { query: '?none=1' },
};

export function ask(line: Line, place: Place): Asked {
  const { children = {}, query = '', body = '{"no_such_field":1}' } = PARTICULAR[line.id] ?? {};
  const path = line.path
    .replace('*namespace', namespaceOf(place))
    .replace('*address', `${filesOf(place)}:1.0/${line.method === 'DELETE' ? 'none' : 'x'}.txt`)
    .replace('*name', place.repository)
    .replace(':project', place.project)
    .replaceAll(/(?<=\/):([a-z]+)/g, (_, name: string) => children[name] ?? CHILDREN[name] ?? 'no-such-thing');
  const writes = line.method !== 'GET' && line.method !== 'DELETE' && (line.door === 'api' || line.door === 'files');
  return {
    method: line.method,
    path: `${path}${query}`,
    headers: writes ? { 'Content-Type': 'application/json' } : {},
    // No shape has it, so whoever is let through is told so.
    ...(writes && { body }),
  };
}

/** Which places make a difference to the route. */
export function concerns(line: Line): 'repository' | 'project' | 'nothing' {
  // *name, *namespace, *address
  if (line.path.includes('*')) return 'repository';
  return line.path.includes(':project') ? 'project' : 'nothing';
}
