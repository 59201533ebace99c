import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

export interface BlobCursor {
  readonly review_after: string;
  readonly blob_id: number;
}

export const FIRST_BLOB: BlobCursor = { review_after: '-infinity', blob_id: 0 };

/** Rows of the queue that were due at `until`, in order, locked; those that somebody works on are left for the next run. */
export function lockDueBlobs(
  tx: Transaction,
  due: { until: string; after: BlobCursor; limit: number },
): Promise<BlobCursor[]> {
  return tx.query<BlobCursor>(sql`
    select review_after::text as review_after, blob_id from blob_reviews
    where review_after <= ${due.until}::timestamptz
      and (review_after, blob_id) > (${due.after.review_after}::timestamptz, ${due.after.blob_id}::bigint)
    order by blob_reviews.review_after, blob_id limit ${due.limit}
    for update skip locked`);
}

/** Contents that are gone already need no review; those that nobody has locked are locked against new links. */
export async function lockFreeBlobs(tx: Transaction, ids: readonly number[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    with forgotten as (
      delete from blob_reviews r
      where r.blob_id = any (${ids}::bigint[]) and not exists (select from blobs b where b.id = r.blob_id)
    )
    select id from blobs where id = any (${ids}::bigint[]) order by id for update skip locked`);
  return rows.map((row) => row.id);
}

/**
 * Removes the contents that no repository has, now that they are locked; their objects are dead from then on. A content with a
 * link leaves the queue. A statement after the one that locked: a link that came before is seen, one that comes later waits, and
 * finds the content gone.
 */
export async function removeBlobs(
  tx: Transaction,
  ids: readonly number[],
  bytesDelay: number,
): Promise<{ blobs: number; bytes: number }> {
  const row = await tx.first<{ blobs: number; bytes: number }>(sql`
    with looked as (
      select w.id, exists (select from repository_blobs rb where rb.blob_id = w.id) as linked
      from unnest(${ids}::bigint[]) as w (id)
    ), removed as (
      delete from blobs b using looked l where b.id = l.id and not l.linked
      returning b.id, b.digest, b.size, b.store, b.key
    ), dead as (
      insert into dead_objects (key, store, reason, delete_after, size, blob_digest)
      select key, store, 'unreferenced', now() + make_interval(secs => ${bytesDelay}), size, digest from removed
    ), over as (
      delete from blob_reviews r using looked l where r.blob_id = l.id
    ), read as (
      delete from extracted_metadata x using removed g where x.digest = g.digest
    )
    select count(*) as blobs, coalesce(sum(size), 0)::bigint as bytes from removed`);
  return row ?? { blobs: 0, bytes: 0 };
}
