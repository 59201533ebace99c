import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

/**
 * Looks at the next links that may have been here before the queues, and queues those without a use.
 * @returns whether there may be more
 */
export async function backfillLinks(tx: Transaction, limit: number): Promise<boolean> {
  // By itself, so that the page below begins at values that are known: it is found by the index, and not at all once this is over.
  const from = await tx.first<{ repository: number; blob: number }>(sql`
    select backfill_repository as repository, backfill_blob as blob from gc_state where backfilled_at is null for update`);
  if (from === undefined) return false;
  const row = await tx.first<{ more: boolean }>(sql`
    with page as materialized (
      select rb.repository_id, rb.blob_id, rb.leased_until, rb.deleted_at
      from repository_blobs rb
      where (rb.repository_id, rb.blob_id) > (${from.repository}::bigint, ${from.blob}::bigint)
      order by rb.repository_id, rb.blob_id limit ${limit}
    ), queued as (
      insert into link_reviews (repository_id, blob_id, review_after)
      select repository_id, blob_id, least(leased_until, deleted_at) from page p
      where deleted_at is not null
         or not exists (select from manifest_blobs m where m.repository_id = p.repository_id and m.blob_id = p.blob_id)
            and not exists (select from file_entries e where e.repository_id = p.repository_id and e.blob_id = p.blob_id)
      on conflict do nothing
    ), last as (
      select repository_id, blob_id from page order by repository_id desc, blob_id desc limit 1
    )
    update gc_state
    set backfill_repository = coalesce((select repository_id from last), backfill_repository),
        backfill_blob = coalesce((select blob_id from last), backfill_blob),
        backfilled_at = case when (select count(*) from page) < ${limit} then now() end
    where backfilled_at is null
    returning backfilled_at is null as more`);
  return row?.more ?? false;
}
