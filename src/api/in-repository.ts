/** The repository that a request below `/projects/:project` names in its query or body, if the caller may do that there. */
import type { Action, Principal, Target } from '../auth/principal.ts';
import { noteDecision } from '../jobs/origin.ts';
import {
  parseReference,
  parseRepositoryPath,
  type Reference,
  type RepositoryPath,
  type Tag,
} from '../registry/names.ts';
import type { Registry } from '../registry/registry.ts';
import { movedRefusal, repositoryOf, type Repository } from '../registry/repositories.ts';
import { targetOf, type Scene } from '../registry/scene.ts';
import { notFound, Problem } from './problems.ts';
import { unauthenticated } from './translate.ts';

export interface Located {
  readonly scene: Scene;
  readonly repository: Repository;
}

interface Asked {
  readonly principal: Principal;
  /** The project of the route. */
  readonly target: Target;
}

/**
 * A repository of the project, resolved afresh.
 * @param action besides pulling, without which it is not even said whether it exists
 */
export async function requireRepository(
  registry: Registry,
  { principal, target }: Asked,
  where: { readonly repository: string; readonly tag?: Tag | undefined },
  action: Action = 'pull',
): Promise<Located> {
  const path = parseRepositoryPath(where.repository);
  if (path === undefined) {
    throw new Problem('validation-failed', 'Name a repository by its whole path, such as acme/web.');
  }
  const tag = where.tag === undefined ? {} : { tag: where.tag };
  const scene = await registry.scenes.resolve({ path, principalId: principal.id, ...tag });
  const repository = repositoryOf(scene, scene.path as RepositoryPath);
  const sees = await registry.gate.decide(principal, 'pull', targetOf(scene));
  if (sees.effect === 'deny' || !repository || repository.projectId !== target.project?.id) throw notFound();
  if (action !== 'pull') await requireRight(registry, principal, scene, action);
  return { scene, repository };
}

async function requireRight(registry: Registry, principal: Principal, scene: Scene, action: Action): Promise<void> {
  const { effect, reason, moved } = await registry.gate.decide(principal, action, targetOf(scene));
  noteDecision(effect === 'deny' ? 'deny' : 'allow', reason);
  if (effect !== 'deny') return;
  if (principal.kind === 'anonymous') throw unauthenticated('Send Basic credentials or a personal token.');
  if (moved) throw movedRefusal(scene);
  throw new Problem('forbidden', `This needs the right to ${action} there; ask an owner of the project.`);
}

/** Either of the two fields, not both. */
export function referenceIn(body: {
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
}): Reference {
  const text = body.digest ?? body.tag;
  const reference = text === undefined ? undefined : parseReference(text);
  const fits = reference && (reference.digest === undefined) === (body.digest === undefined);
  if (!reference || !fits || (body.digest !== undefined && body.tag !== undefined)) {
    throw new Problem('validation-failed', 'Name either a tag, or a digest such as sha256:….');
  }
  return reference;
}
