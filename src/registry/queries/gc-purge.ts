import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

export interface TrashCursor {
  readonly deleted_at: string;
  readonly id: number;
}

export const FIRST_IN_TRASH: TrashCursor = { deleted_at: '-infinity', id: 0 };

/** Manifests that can no longer be brought back, in order, locked against restores, holds and new pushes. */
export function lockDueManifests(
  tx: Transaction,
  due: { until: string; undo: number; after: TrashCursor; limit: number },
): Promise<TrashCursor[]> {
  return tx.query<TrashCursor>(sql`
    select deleted_at::text as deleted_at, id from manifests
    where deleted_at <= ${due.until}::timestamptz - make_interval(secs => ${due.undo})
      and (deleted_at, id) > (${due.after.deleted_at}::timestamptz, ${due.after.id}::bigint)
    order by manifests.deleted_at, id limit ${due.limit}
    for update skip locked`);
}

/** Holds that are over keep nothing. */
export async function deleteExpiredHolds(tx: Transaction, manifestIds: readonly number[]): Promise<void> {
  await tx.query(sql`delete from holds where manifest_id = any (${manifestIds}::bigint[]) and expires_at <= now()`);
}

/**
 * Locks what the manifests miss, as far as nobody has it: a blob that comes now takes such a row, binds it to the manifest, and
 * would wait for us as we for it.
 * @returns how many rows of each manifest are ours
 */
export async function lockMissing(tx: Transaction, manifestIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await tx.query<{ manifest_id: number }>(sql`
    select manifest_id from manifest_missing_blobs where manifest_id = any (${manifestIds}::bigint[])
    order by repository_id, digest, manifest_id for update skip locked`);
  const counts = new Map<number, number>();
  for (const { manifest_id: id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/**
 * Those of the locked manifests that nothing keeps: no hold, no tag, and no index that is still here, be it in the trash. An
 * index goes before what it lists, so what can be brought back can be brought back whole.
 */
export function selectPurgeable(tx: Transaction, ids: readonly number[]): Promise<{ id: number; missing: number }[]> {
  return tx.query<{ id: number; missing: number }>(sql`
    select m.id, (select count(*) from manifest_missing_blobs b where b.manifest_id = m.id) as missing
    from unnest(${ids}::bigint[]) as w (id) join manifests m on m.id = w.id
    where not exists (select from holds h where h.manifest_id = m.id)
      and not exists (select from tags t where t.manifest_id = m.id)
      and not exists (select from chart_versions v where v.manifest_id = m.id)
      and not exists (select from manifest_children c where c.repository_id = m.repository_id and c.child_digest = m.digest)`);
}

/** The references go first, in one statement, so that their trigger queues the links in order. */
export async function purgeManifests(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.query(sql`delete from manifest_blobs where manifest_id = any (${ids}::bigint[])`);
  await tx.query(sql`delete from manifests where id = any (${ids}::bigint[])`);
}
