/** Out of the trash: manifests with all that they need, in the caller's transaction. */
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import type { Kind } from '../kinds.ts';
import { lockSparse } from '../queries/repositories.ts';
import { lockForRestore, selectAbsentChild, selectNeeded, showLinks, showManifests } from '../queries/restore.ts';
import { Refusal } from '../refusal.ts';
import type { Repository } from '../repositories.ts';

export interface RestoredManifest {
  readonly id: number;
  readonly digest: Digest;
  readonly kind: Kind;
  /** Tags that it had when it was deleted; they are not given back here. */
  readonly tags: readonly string[];
}

/**
 * Brings manifests back with whatever they list, which may be in the trash as well. What is live stays as it is. The
 * references were kept all the time, so nothing has to be checked but what a purge may have taken.
 * @param ids of the repository
 * @returns those that came back, listed ones among them
 * @throws {Refusal} MANIFEST_UNKNOWN for one that was purged, MANIFEST_BLOB_UNKNOWN when something that it lists was
 */
export async function restoreManifests(
  tx: Transaction,
  repository: Pick<Repository, 'id' | 'sparse'>,
  ids: readonly number[],
  options: { readonly leaseSeconds: number },
): Promise<RestoredManifest[]> {
  if (repository.sparse) await lockSparse(tx, repository.id);
  const locked = await lockNeeded(tx, repository.id, ids);
  const coming = [...locked.values()].filter(({ gone }) => gone);
  if (coming.length === 0) return [];
  const comingIds = coming.map(({ id }) => id);
  const absent = repository.sparse ? undefined : await selectAbsentChild(tx, repository.id, comingIds);
  if (absent) {
    throw new Refusal(
      'MANIFEST_BLOB_UNKNOWN',
      `Index ${digestFromBytes(absent.parent)} lists ${digestFromBytes(absent.child)}, which is gone for good; push it again first`,
    );
  }
  await showLinks(tx, repository.id, comingIds);
  const tags = new Map((await showManifests(tx, comingIds, options.leaseSeconds)).map((row) => [row.id, row.tags]));
  return coming.map(({ id, digest, kind }) => ({
    id,
    digest: digestFromBytes(digest),
    kind: kind as Kind,
    tags: tags.get(id) ?? [],
  }));
}

/** What is listed is known only once what lists it is locked; in nearly all cases the first look finds everything. */
async function lockNeeded(tx: Transaction, repositoryId: number, ids: readonly number[]) {
  const locked = new Map<number, Awaited<ReturnType<typeof lockForRestore>>[number]>();
  for (;;) {
    const needed = (await selectNeeded(tx, repositoryId, ids)).filter((id) => !locked.has(id));
    if (needed.length === 0) break;
    const rows = await lockForRestore(tx, needed);
    for (const row of rows) locked.set(row.id, row);
  }
  if (ids.some((id) => !locked.has(id))) {
    throw new Refusal('MANIFEST_UNKNOWN', 'What was to be restored is gone for good; push it again');
  }
  return locked;
}
