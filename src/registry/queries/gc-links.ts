import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

export interface LinkKey {
  readonly repository_id: number;
  readonly blob_id: number;
}

/** Where a walk through the queue stands; texts, since a Date knows milliseconds only. */
export interface LinkCursor extends LinkKey {
  readonly review_after: string;
}

export const FIRST_LINK: LinkCursor = { review_after: '-infinity', repository_id: 0, blob_id: 0 };

/** Rows of the queue that were due at `until`, in order, locked; those that somebody works on are left for the next run. */
export function lockDueLinks(
  tx: Transaction,
  due: { until: string; delay: number; after: LinkCursor; limit: number },
): Promise<LinkCursor[]> {
  return tx.query<LinkCursor>(sql`
    select review_after::text as review_after, repository_id, blob_id from link_reviews
    where review_after <= ${due.until}::timestamptz - make_interval(secs => ${due.delay})
      and (review_after, repository_id, blob_id)
          > (${due.after.review_after}::timestamptz, ${due.after.repository_id}::bigint, ${due.after.blob_id}::bigint)
    order by link_reviews.review_after, repository_id, blob_id limit ${due.limit}
    for update skip locked`);
}

/**
 * Rules on what is no matter of locks, in a statement after the one that locked the rows of the queue: a use that ended before is
 * seen, and one that ends later waits for us and brings its row back. A link with a use leaves the queue; one with a lease, or in
 * the trash, waits until that is over.
 * @returns those whose time has come
 */
export function settleDueLinks(tx: Transaction, keys: readonly LinkKey[], undo: number): Promise<LinkKey[]> {
  return tx.query<LinkKey>(sql`
    with looked as (
      select w.repository_id, w.blob_id, link.repository_id is null as gone, link.until,
             exists (select from manifest_blobs m where m.repository_id = w.repository_id and m.blob_id = w.blob_id)
             or exists (select from file_entries e where e.repository_id = w.repository_id and e.blob_id = w.blob_id) as used
      from unnest(${keys.map((key) => key.repository_id)}::bigint[], ${keys.map((key) => key.blob_id)}::bigint[])
           as w (repository_id, blob_id)
      left join lateral (
        select rb.repository_id, greatest(rb.leased_until, rb.deleted_at + make_interval(secs => ${undo})) as until
        from repository_blobs rb where rb.repository_id = w.repository_id and rb.blob_id = w.blob_id limit 1) link on true
    ), over as (
      delete from link_reviews r using looked l
      where r.repository_id = l.repository_id and r.blob_id = l.blob_id and (l.gone or l.used)
    ), later as (
      update link_reviews r set review_after = l.until from looked l
      where r.repository_id = l.repository_id and r.blob_id = l.blob_id and not l.gone and not l.used and l.until > now()
    )
    select repository_id, blob_id from looked where not gone and not used and until <= now()`);
}

/** Those of the repositories that nobody has locked, locked against deletes, sparse pushes and other changes of their epoch. */
export async function lockFreeRepositories(tx: Transaction, ids: readonly number[]): Promise<Set<number>> {
  const rows = await tx.query<{ id: number }>(sql`
    select id from repositories where id = any (${ids}::bigint[]) order by id for no key update skip locked`);
  return new Set(rows.map((row) => row.id));
}

/** Those of the links that nobody has locked, locked against everyone who would use, renew or delete them. */
export function lockFreeLinks(tx: Transaction, keys: readonly LinkKey[]): Promise<LinkKey[]> {
  return tx.query<LinkKey>(sql`
    select rb.repository_id, rb.blob_id
    from unnest(${keys.map((key) => key.repository_id)}::bigint[], ${keys.map((key) => key.blob_id)}::bigint[])
         as w (repository_id, blob_id)
    join repository_blobs rb on rb.repository_id = w.repository_id and rb.blob_id = w.blob_id
    order by rb.repository_id, rb.blob_id for update of rb skip locked`);
}

/**
 * Removes the links that have no use and no lease now that they are locked, with their rows in the queue, and makes everything
 * unknown that memories hold of their repositories. Again a statement after the one that locked.
 * @returns how many went
 */
export async function removeLinks(tx: Transaction, keys: readonly LinkKey[], undo: number): Promise<number> {
  const row = await tx.first<{ removed: number }>(sql`
    with looked as (
      select w.repository_id, w.blob_id
      from unnest(${keys.map((key) => key.repository_id)}::bigint[], ${keys.map((key) => key.blob_id)}::bigint[])
           as w (repository_id, blob_id)
      where not exists (select from manifest_blobs m where m.repository_id = w.repository_id and m.blob_id = w.blob_id)
        and not exists (select from file_entries e where e.repository_id = w.repository_id and e.blob_id = w.blob_id)
    ), removed as (
      delete from repository_blobs rb using looked l
      where rb.repository_id = l.repository_id and rb.blob_id = l.blob_id and rb.leased_until <= now()
        and (rb.deleted_at is null or rb.deleted_at + make_interval(secs => ${undo}) <= now())
      returning rb.repository_id, rb.blob_id
    ), over as (
      delete from link_reviews r using removed g where r.repository_id = g.repository_id and r.blob_id = g.blob_id
    ), changed as (
      update repositories set epoch = epoch + 1 where id in (select distinct repository_id from removed)
    )
    select count(*) as removed from removed`);
  return row?.removed ?? 0;
}
