/** A word in time: answers to pushes say when a project is nearly full. */
import { selectLimitedUsage } from '../queries/usage.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { bytesInWords } from './words.ts';

const NEARLY = 0.9;

/**
 * A header `Warning` (RFC 7234, section 5.5) for an answer to a push, or undefined. Never asked for pulls; one query, and only for
 * projects with a limit.
 */
export async function quotaWarning(
  registry: Registry,
  { projectId, limited }: Pick<Repository, 'projectId' | 'limited'>,
): Promise<string | undefined> {
  if (!limited) return undefined;
  const usage = await selectLimitedUsage(registry.db, projectId);
  if (usage === undefined) return undefined;
  const { maxBytes, maxArtifacts, bytes, reserved, artifacts } = usage;
  const used = bytes + reserved;
  if (maxBytes !== null && used >= NEARLY * maxBytes) {
    return header(`${bytesInWords(used)} of the ${bytesInWords(maxBytes)} that the project may have are used`);
  }
  if (maxArtifacts !== null && artifacts >= NEARLY * maxArtifacts) {
    return header(`${artifacts} of the ${maxArtifacts} artifacts that the project may have are there`);
  }
  return undefined;
}

function header(text: string): string {
  return `299 - "${text}"`;
}
