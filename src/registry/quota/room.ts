/** For changes that cost something only later. */
import type { Transaction } from '../../db/database.ts';
import { selectLimitedUsage } from '../queries/usage.ts';
import { noRoom } from './refused.ts';

/**
 * A change of a version's files makes another manifest of it, when somebody reads it next; that one is never refused, so the change
 * is when there is no room at all.
 * @throws {Refusal} QUOTA_EXCEEDED
 */
export async function requireRoom(tx: Transaction, project: string, projectId: number): Promise<void> {
  const usage = await selectLimitedUsage(tx, projectId);
  if (usage === undefined) return;
  const { maxBytes, maxArtifacts, bytes, reserved, artifacts } = usage;
  const full =
    (maxBytes !== null && bytes + reserved >= maxBytes) || (maxArtifacts !== null && artifacts >= maxArtifacts);
  if (!full) return;
  throw noRoom({
    project,
    max_bytes: maxBytes,
    used: bytes,
    reserved,
    needed: 1,
    max_artifacts: maxArtifacts,
    artifacts,
    needed_artifacts: 1,
  });
}
