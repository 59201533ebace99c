/**
 * What a push of a kind records besides its manifest, so that the kind's own door knows of it as soon as it is there. Kinds
 * are recognised in `kinds.ts`; this is the other half of their declaration, apart because it stands on more.
 */
import type { Transaction } from '../db/database.ts';
import type { Kind } from './kinds.ts';
import type { Manifest } from './manifest.ts';
import type { Tag } from './names.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repositories.ts';

/** Called in the push's transaction for each tag, once the tag is where it should be. Touches the database only. */
export type Recorder = (tx: Transaction, manifestId: number, tag: Tag) => Promise<void>;

/** Reads what is needed, before the transaction. The manifest's blobs may be missing. */
type Preparation = (registry: Registry, repository: Repository, manifest: Manifest) => Promise<Recorder>;

/** Each loaded by the first push of its kind. */
const PREPARATIONS: Partial<Record<Kind, Preparation>> = {
  chart: async (...pushed) => (await import('./charts/recording.ts')).recordChart(...pushed),
};

export async function prepareRecorder(
  registry: Registry,
  repository: Repository,
  manifest: Manifest,
): Promise<Recorder | undefined> {
  return PREPARATIONS[manifest.kind]?.(registry, repository, manifest);
}
