/** Projects and repositories come into being by the first push of someone who may. */
import { projectOf } from '../auth/names.ts';
import type { Principal } from '../auth/principal.ts';
import type { Transaction } from '../db/database.ts';
import { recordEvent } from '../jobs/outbox.ts';
import type { RepositoryPath } from './names.ts';
import {
  insertOwner,
  insertProject,
  insertRepository,
  selectProjectId,
  selectRepositoryId,
} from './queries/repositories.ts';
import type { Registry } from './registry.ts';
import type { Scene } from './scene.ts';

export interface Repository {
  readonly id: number;
  readonly path: RepositoryPath;
  readonly projectId: number;
  /** The epoch that this request's facts carry. */
  readonly epoch: number;
}

/** The repository that the scene found, if it is there. */
export function repositoryOf(scene: Scene, path: RepositoryPath): Repository | undefined {
  const { repository, project } = scene;
  return repository && project && { id: repository.id, path, projectId: project.id, epoch: repository.epoch };
}

/**
 * The repository, made when it is missing, and its project with it: private, owned by who made it. Who may was decided by
 * the gate before.
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
  return registry.db.transaction(async (tx) => {
    const projectId = scene.project?.id ?? (await ensureProject(tx, projectOf(path), principal, requestId));
    const created = await insertRepository(tx, projectId, path);
    const repositoryId = created ?? (await selectRepositoryId(tx, path));
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
    return { id: repositoryId, path, projectId, epoch: 1 };
  });
}

async function ensureProject(tx: Transaction, name: string, principal: Principal, requestId: string): Promise<number> {
  const created = await insertProject(tx, name, principal.id);
  if (created === undefined) return selectProjectId(tx, name);
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
