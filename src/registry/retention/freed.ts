/** Bytes that a project would have, or has, less in the end. */
import type { Database } from '../../db/database.ts';
import { addGone, addGoneDrafts, addGoneOfRun, makeGoneTables, selectFreedBytes } from '../queries/retention-bytes.ts';
import { goes } from './judge-manifests.ts';
import type { Plan } from './plan.ts';
import { CONDEMNED } from './plan-shapes.ts';

/** What plans let go of, kept as ids until the end. */
export interface Gone {
  readonly manifests: number[];
  readonly drafts: { readonly repositoryId: number; readonly names: readonly string[] }[];
}

export function collectGone(gone: Gone, { graph, fates, manifests }: Plan): void {
  for (let i = 0; i < manifests.why.length; i++) {
    if (goes(manifests.why[i]!)) gone.manifests.push(graph.manifests.ids[i]!);
  }
  const names = graph.tags.names.filter((_, tag) => graph.tags.stale[tag] && fates[tag] === CONDEMNED);
  if (names.length > 0) gone.drafts.push({ repositoryId: graph.repository.id, names });
}

const BATCH = 5_000;

export function freedBy(db: Database, projectId: number, gone: Gone): Promise<number> {
  if (gone.manifests.length === 0 && gone.drafts.length === 0) return Promise.resolve(0);
  return db.transaction(async (tx) => {
    await makeGoneTables(tx);
    for (let at = 0; at < gone.manifests.length; at += BATCH) await addGone(tx, gone.manifests.slice(at, at + BATCH));
    for (const { repositoryId, names } of gone.drafts) await addGoneDrafts(tx, repositoryId, names);
    return selectFreedBytes(tx, projectId);
  });
}

export function freedByRun(db: Database, projectId: number, runId: number): Promise<number> {
  return db.transaction(async (tx) => {
    await makeGoneTables(tx);
    await addGoneOfRun(tx, runId);
    return selectFreedBytes(tx, projectId);
  });
}
