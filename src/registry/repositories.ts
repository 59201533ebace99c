/** Projects and repositories come into being by the first push of someone who may. */
import { movedSentence, projectOf } from '../auth/names.ts';
import type { Principal } from '../auth/principal.ts';
import type { Queryable, Transaction } from '../db/database.ts';
import { recordEvent } from '../jobs/outbox.ts';
import type { RepositoryPath } from './names.ts';
import {
  insertOwner,
  insertProject,
  insertRepository,
  lockSparse,
  selectRepositoryId,
} from './queries/repositories.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import { targetOf, type Scene } from './scene.ts';

export interface Repository {
  readonly id: number;
  readonly path: RepositoryPath;
  readonly projectId: number;
  /** Manifests may name what is not here (`projects.allow_sparse`). */
  readonly sparse: boolean;
  /** The project has a quota. */
  readonly limited: boolean;
  /** The epoch that this request's facts carry. */
  readonly epoch: number;
}

/** The repository that the scene found, if it is there. */
export function repositoryOf(scene: Scene, path: RepositoryPath): Repository | undefined {
  const { repository, project } = scene;
  if (!repository || !project) return undefined;
  const { id: projectId, allowSparse: sparse, limited } = project;
  return { id: repository.id, path, projectId, sparse, limited, epoch: repository.epoch };
}

/**
 * The repository, made when it is missing, and its project with it: private, owned by who made it. The gate has decided
 * that the caller may; when somebody else made the project meanwhile, it is asked again.
 * @throws {Refusal} DENIED
 */
export async function ensureRepository(
  registry: Registry,
  scene: Scene,
  path: RepositoryPath,
  principal: Principal,
  requestId: string,
): Promise<Repository> {
  const known = repositoryOf(scene, path);
  if (known) return known;
  const made = await registry.db.transaction((tx) =>
    makeRepository(tx, scene, path, principal, requestId, registry.limits.projectBytes),
  );
  if (made !== undefined) return made;
  const now = await registry.scenes.resolve({ path, principalId: principal.id });
  const verdict = await registry.gate.decide(principal, 'push', targetOf(now));
  if (verdict.moved) throw movedRefusal(now);
  if (verdict.effect === 'deny')
    throw new Refusal('DENIED', 'Somebody else made this project just now; ask them for the right');
  return ensureRepository(registry, now, path, principal, requestId);
}

/** What whoever writes by a former name is told, once the gate has said that they may know the new one. */
export function movedRefusal(scene: Pick<Scene, 'path' | 'askedPath'>): Refusal {
  return new Refusal('REPOSITORY_MOVED', movedSentence(scene), { repository: scene.path });
}

/** Undefined, and nothing made, when project or repository are there by now, or the name is a former one. */
async function makeRepository(
  tx: Transaction,
  scene: Scene,
  path: RepositoryPath,
  principal: Principal,
  requestId: string,
  maxBytes: number | undefined,
): Promise<Repository | undefined> {
  const projectId = scene.project?.id ?? (await makeProject(tx, projectOf(path), principal, requestId, maxBytes));
  if (projectId === undefined) return undefined;
  const created = await insertRepository(tx, projectId, path);
  const id = created ?? (await selectRepositoryId(tx, projectId, path));
  if (id === undefined) return undefined;
  if (created !== undefined) {
    await recordEvent(tx, {
      type: 'repository.created',
      actorId: principal.id,
      projectId,
      repositoryId: created,
      requestId,
      data: { repository: path },
    });
  }
  const { allowSparse: sparse, limited } = scene.project ?? { allowSparse: false, limited: maxBytes !== undefined };
  return { id, path, projectId, sparse, limited, epoch: 1 };
}

async function makeProject(
  tx: Transaction,
  name: string,
  principal: Principal,
  requestId: string,
  maxBytes: number | undefined,
): Promise<number | undefined> {
  const created = await insertProject(tx, name, principal.id, maxBytes);
  if (created === undefined) return undefined;
  await insertOwner(tx, created, principal.id);
  await recordEvent(tx, {
    type: 'project.created',
    actorId: principal.id,
    projectId: created,
    requestId,
    data: { project: name },
  });
  return created;
}

/**
 * Runs the statement that links a blob. Ordinarily it is a transaction of its own; in a sparse repository it waits for
 * manifests that may be missing the blob.
 */
export function linking<T>(
  registry: Registry,
  repository: Repository,
  link: (db: Queryable) => Promise<T>,
): Promise<T> {
  if (!repository.sparse) return link(registry.db);
  return registry.db.transaction(async (tx) => {
    await lockSparse(tx, repository.id);
    return link(tx);
  });
}
