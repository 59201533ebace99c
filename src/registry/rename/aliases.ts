/** Former names: kept until an owner of the project that they begin with lets go of them. */
import { recordChange, type Actor } from '../../auth/events.ts';
import { projectOf } from '../../auth/names.ts';
import type { Database, Queryable } from '../../db/database.ts';
import { ProjectError } from '../projects.ts';
import { deleteProjectAlias, deleteRepositoryAlias, selectAliases, type AliasRow } from '../queries/aliases.ts';
import { holdProjectNames } from '../queries/rename.ts';
import { lockProjects, type KnownProject } from './projects.ts';

export type { AliasRow } from '../queries/aliases.ts';

export function listAliases(
  db: Queryable,
  projectId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<AliasRow[]> {
  return selectAliases(db, projectId, page.after ?? '', page.limit);
}

/**
 * From the next request on the name means nothing, and whoever is first can have it.
 * @param alias a former name of the project, or a path in it
 * @throws {ProjectError} not-found, renamed
 */
export async function releaseAlias(db: Database, project: KnownProject, alias: string, actor: Actor): Promise<void> {
  const ofRepository = alias.includes('/');
  await db.transaction(async (tx) => {
    if (!ofRepository) await holdProjectNames(tx, [alias]);
    await lockProjects(tx, [project]);
    const gone = ofRepository
      ? projectOf(alias) === project.name && (await deleteRepositoryAlias(tx, project.id, alias))
      : await deleteProjectAlias(tx, project.id, alias);
    if (!gone) throw new ProjectError('not-found', 'The project has no such former name.');
    await recordChange(tx, actor, {
      type: 'alias.released',
      projectId: project.id,
      data: { alias, was: gone.of },
    });
  });
}
