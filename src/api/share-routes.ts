/** /projects/:project/shares: links that open one file to whoever has them. */
import type { Gate, Principal, Target } from '../auth/principal.ts';
import { findFile } from '../registry/files/read.ts';
import { parseFilePath } from '../registry/files/path.ts';
import { createShare, listShares, revokeShare, type ShareRow } from '../registry/files/share.ts';
import { findVersion, parseVersion, type VersionName } from '../registry/files/versions.ts';
import { parseDigest } from '../blobs/digest.ts';
import { parseRepositoryPath } from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { repositoryOf, type Repository } from '../registry/repositories.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { idOf } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { onProject } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import { projectId } from './project-routes.ts';
import * as shapes from './file-shapes.ts';

export function shareRoutes(registry: Registry, publicUrls: readonly string[]): ApiRoute[] {
  return [
    define('POST', '/projects/:project/shares', {
      id: 'share-create',
      policy: onProject('see'),
      summary: 'Make a link that opens one file to whoever has it, until it expires',
      body: shapes.newShare,
      status: 201,
      answer: shapes.createdShare,
      run: async ({ target, principal, actor, body }) => {
        const action = body.action === 'upload' ? 'push' : 'pull';
        const wanted = await requireFile(registry, principal, target, { ...body, action });
        const share = { ...wanted, action, seconds: body.expires_in_seconds } as const;
        const made = await createShare(registry.db, share, principal, actor);
        return { ...show(made), url: linkOf(publicUrls[0] as string, made, made.secret) };
      },
    }),
    define('GET', '/projects/:project/shares', {
      id: 'shares',
      policy: onProject('see'),
      summary: 'Links that hold now: yours, or everyone’s for an owner',
      query: pageQuery,
      answer: pageOf(shapes.share),
      run: async ({ principal, target, query: { limit, cursor } }) => {
        const after = decodeCursor(cursor, 'number') ?? 0;
        const whose = await whoseShares(registry.gate, principal, target);
        const rows = await listShares(registry.db, projectId(target), whose, { after, limit: limit + 1 });
        return page(rows, limit, (row) => row.id, show);
      },
    }),
    define('DELETE', '/projects/:project/shares/:share', {
      id: 'share-revoke',
      policy: onProject('see'),
      summary: 'Take a link back, from the next request on',
      run: async ({ principal, target, params, actor }) => {
        const whose = await whoseShares(registry.gate, principal, target);
        const id = idOf(params['share']);
        if (!(await revokeShare(registry.db, projectId(target), whose, id, actor))) throw notFound();
      },
    }),
  ];
}

/** Null: everyone's. Nobody has made a share as principal 0, so anonymous sees none. */
async function whoseShares(gate: Gate, principal: Principal, target: Target): Promise<number | null> {
  return (await gate.decide(principal, 'admin', target)).effect === 'deny' ? principal.id : null;
}

interface Wanted {
  readonly repository: string;
  readonly version: string;
  readonly path: string;
  readonly action: 'pull' | 'push';
}

/** What is shared: a file that is there and that the caller may read, or a name that it may write. */
async function requireFile(registry: Registry, principal: Principal, target: Target, wanted: Wanted) {
  if (principal.kind === 'anonymous') throw new Problem('unauthenticated', 'Sign in to share a file.');
  const repositoryPath = parseRepositoryPath(wanted.repository);
  const version = versionOf(wanted.version);
  const path = parsed(() => parseFilePath(wanted.path));
  if (!repositoryPath || !version || version.kind === 'range') {
    throw new Problem('validation-failed', 'Name a repository, and a version by its tag or digest.');
  }
  const tag = version.kind === 'tag' ? { tag: version.tag } : {};
  const scene = await registry.scenes.resolve({ path: repositoryPath, principalId: principal.id, ...tag });
  const verdict = await registry.gate.decide(principal, wanted.action, targetOf(scene));
  const repository = repositoryOf(scene, repositoryPath);
  const elsewhere = repository?.projectId !== target.project?.id;
  if (verdict.effect === 'deny' || !repository || elsewhere) throw notFound();
  if (wanted.action === 'pull') await requireThere(registry, { scene, repository, principal }, version, path);
  else if (version.kind !== 'tag') throw new Problem('validation-failed', 'Files are uploaded to a tag.');
  return { repository, version: version.kind === 'tag' ? version.tag : version.digest, path };
}

async function requireThere(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal },
  version: VersionName,
  path: string,
): Promise<void> {
  const found = await findVersion(registry, request, version);
  // `latest` of no tag is a version that changes its name; a link is bound to one.
  if (found && !found.resolved && (await findFile(registry, request.repository, found, path))) return;
  throw notFound();
}

function versionOf(text: string): VersionName | undefined {
  const digest = parseDigest(text);
  return digest ? { kind: 'digest', digest } : parsed(() => parseVersion(text));
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Problem('validation-failed', `${(error as Error).message}.`);
  }
}

function show(row: ShareRow) {
  return {
    id: String(row.id),
    repository: row.repository,
    version: row.version,
    path: row.path,
    action: row.action === 'push' ? ('upload' as const) : ('download' as const),
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}

/** Absolute, from configuration alone. The secret is in the query, which no log keeps. */
function linkOf(origin: string, { repository, version, path }: ShareRow, secret: string): string {
  const mark = version.includes(':') ? '@' : ':';
  const where = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`/files/${repository}${mark}${version}/${where}?share=${secret}`, origin).href;
}
