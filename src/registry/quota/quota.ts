/** The quota of a project: shown to its owners, set by administrators of the hub, and checked against the rows. */
import { isDeepStrictEqual } from 'node:util';
import { recordChange, type Actor } from '../../auth/events.ts';
import type { Database, Transaction } from '../../db/database.ts';
import { ProjectError } from '../projects.ts';
import * as rows from '../queries/usage.ts';

export type { Limits } from '../queries/usage.ts';

export interface Quota extends rows.UsageRow {
  /** What purging the trash would give back; part of what is used. */
  readonly trash: { readonly bytes: number; readonly artifacts: number };
}

export async function findQuota(db: Database, projectId: number): Promise<Quota | undefined> {
  const usage = await rows.selectUsage(db, projectId);
  return usage && { ...usage, trash: await rows.selectTrash(db, projectId) };
}

/**
 * Sets both limits. One below what is used is allowed: nothing more goes in until there is room.
 * @throws {ProjectError} not-found
 */
export async function setLimits(
  db: Database,
  project: { readonly id: number; readonly name: string },
  limits: rows.Limits,
  actor: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await limit(tx, project.id, limits);
    if (before === undefined) throw new ProjectError('not-found', 'The project has just been removed.');
    if (before.maxBytes === limits.maxBytes && before.maxArtifacts === limits.maxArtifacts) return;
    await recordChange(tx, actor, {
      type: 'quota.changed',
      projectId: project.id,
      data: { project: project.name, before: shown(before), after: shown(limits) },
    });
  });
}

/** Undefined when the project is gone; else the limits before. */
async function limit(tx: Transaction, projectId: number, limits: rows.Limits): Promise<rows.Limits | undefined> {
  await rows.lockUsage(tx, projectId);
  if ((await rows.lockUsageRow(tx, projectId, true)) === 'gone') return undefined;
  // Whoever settles from now on finds the limit, and in the row all that was settled without one.
  while ((await rows.foldDeltas(tx, projectId, 100_000)) > 0);
  return rows.updateLimits(tx, projectId, limits);
}

function shown({ maxBytes, maxArtifacts }: rows.Limits) {
  return { max_bytes: maxBytes, max_artifacts: maxArtifacts };
}

export interface Recount {
  /** As the counters had it. */
  readonly counted: rows.Counted;
  /** As the rows have it. */
  readonly actual: rows.Counted;
  /** Blobs whose number of links was wrong. */
  readonly links: number;
}

/** Names of projects with a limit whose counters differ from their rows; the first hundred projects are looked at. */
export async function wrongQuotas(db: Database): Promise<string[]> {
  const wrong: string[] = [];
  for (const { id, name } of await rows.selectLimitedProjects(db, 0, 100)) {
    const counts = await rows.selectCounts(db, id);
    if (counts && !isDeepStrictEqual(counts.counted, counts.actual)) wrong.push(name);
  }
  return wrong;
}

/**
 * Counts the project's rows and corrects the counters by the difference, while pushes go on: both are read in one snapshot, and what
 * is added later is the same to either.
 * @throws {ProjectError} not-found
 */
export async function recount(
  db: Database,
  project: { readonly id: number; readonly name: string },
  actor: Actor,
): Promise<Recount> {
  return db.transaction(async (tx) => {
    const counts = await rows.selectCounts(tx, project.id);
    if (counts === undefined) throw new ProjectError('not-found', 'The project has just been removed.');
    const { counted, actual } = counts;
    const by = {
      bytes: actual.bytes - counted.bytes,
      artifacts: actual.artifacts - counted.artifacts,
      reserved: actual.reserved - counted.reserved,
    };
    const links = await rows.correctLinks(tx, project.id);
    const wrong = by.bytes !== 0 || by.artifacts !== 0 || by.reserved !== 0;
    if (wrong) await rows.correctUsage(tx, project.id, by);
    if (wrong || links > 0) {
      await recordChange(tx, actor, {
        type: 'quota.corrected',
        projectId: project.id,
        data: { project: project.name, before: counted, after: actual, links },
      });
    }
    return { counted, actual, links };
  });
}
