/** Versions of a project by their properties. */
import { selectByProperties, type FoundByProperty } from '../queries/files-versions.ts';
import type { Registry } from '../registry.ts';

/** @param after repository and version of the last one of the page before, with a space between */
export function findByProperties(
  registry: Registry,
  projectId: number,
  properties: Readonly<Record<string, string>>,
  after: string | undefined,
  limit: number,
): Promise<FoundByProperty[]> {
  const [path = '', name = ''] = (after ?? '').split(' ');
  return selectByProperties(registry.db, projectId, JSON.stringify(properties), { path, name }, limit);
}
