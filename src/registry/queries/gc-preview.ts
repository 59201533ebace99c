/**
 * What a run would remove, found without removing it: the same conditions as in the steps, over tables of the transaction's own
 * that hold what would be gone by then. Postgres spills them to disk, and each statement takes a page, so neither memory nor any
 * statement grows with what there is to collect.
 */
import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';
import type { GcClocks } from '../../config.ts';
import { isNamedAfter } from './gc-orphans.ts';

/** One snapshot for all of it. First in the transaction. */
export async function beginPreview(tx: Transaction): Promise<void> {
  await tx.query(sql`set transaction isolation level repeatable read`);
  await tx.query(sql`
    create temp table going_manifests (id bigint primary key, repository_id bigint not null, digest bytea not null,
                                       gone_at timestamptz not null) on commit drop`);
  await tx.query(sql`
    create temp table gone_subjects (repository_id bigint, digest bytea, gone_at timestamptz not null,
                                     primary key (repository_id, digest)) on commit drop`);
  await tx.query(sql`
    create temp table going_orphans (id bigint primary key, repository_id bigint not null, digest bytea not null)
    on commit drop`);
  await tx.query(sql`
    create temp table going_links (repository_id bigint, blob_id bigint, primary key (repository_id, blob_id)) on commit drop`);
  await tx.query(sql`create temp table going_blobs (blob_id bigint primary key) on commit drop`);
}

export interface Step<Cursor> {
  /** Rows that are new in the table. */
  readonly added: number;
  /** Undefined: that was the last page. */
  readonly next: Cursor | undefined;
}

/** A page of the trash: what is due, and listed by nothing that stays. */
export async function previewPurge(
  tx: Transaction,
  after: { deleted_at: string; id: number },
  { undo }: GcClocks,
  limit: number,
): Promise<Step<{ deleted_at: string; id: number }>> {
  const rows = await tx.query<{ deleted_at: string; id: number; added: number; read: number }>(sql`
    with page as materialized (
      select m.id, m.repository_id, m.digest, m.deleted_at from manifests m
      where m.deleted_at <= now() - make_interval(secs => ${undo})
        and (m.deleted_at, m.id) > (${after.deleted_at}::timestamptz, ${after.id}::bigint)
      order by m.deleted_at, m.id limit ${limit}
    ), added as (
      insert into going_manifests select p.id, p.repository_id, p.digest, p.deleted_at from page p
      where not exists (select from holds h where h.manifest_id = p.id and coalesce(h.expires_at > now(), true))
        and not exists (select from tags t where t.manifest_id = p.id)
        and not exists (select from chart_versions v where v.manifest_id = p.id)
        and not exists (select from manifest_children c where c.repository_id = p.repository_id and c.child_digest = p.digest
                          and not exists (select from going_manifests g where g.id = c.manifest_id))
      on conflict do nothing returning 1
    )
    select p.deleted_at::text as deleted_at, p.id, (select count(*) from added) as added, (select count(*) from page) as read
    from page p order by p.deleted_at desc, p.id desc limit 1`);
  const [last] = rows;
  return { added: last?.added ?? 0, next: last && last.read === limit ? last : undefined };
}

/** Orphans go at once where nothing can be undone. */
export async function previewPurgeOfOrphans(tx: Transaction): Promise<number> {
  const rows = await tx.query(sql`
    insert into going_manifests select o.id, o.repository_id, o.digest, now() from going_orphans o
    where not exists (select from manifest_children c where c.repository_id = o.repository_id and c.child_digest = o.digest
                        and not exists (select from going_manifests g where g.id = c.manifest_id))
    on conflict do nothing returning 1 as ok`);
  return rows.length;
}

/** Subjects whose dependents are due: in the queue, or queued by what goes before. */
export async function previewSubjects(tx: Transaction): Promise<void> {
  await tx.query(sql`
    insert into gone_subjects as s (repository_id, digest, gone_at)
    select repository_id, digest, max(gone_at) from (
      select repository_id, digest, gone_at from going_manifests
      union all
      select repository_id, digest, gone_at from subject_reviews where review_after <= now()
      union all
      select w.repository_id, w.digest, w.gone_at from going_orphans o
      join manifest_children c on c.manifest_id = o.id
      join manifests m on m.repository_id = c.repository_id and m.digest = c.child_digest
      join subject_reviews w on w.repository_id = m.repository_id and w.digest = m.subject_digest) gone
    where not exists (select from manifests m where m.repository_id = gone.repository_id and m.digest = gone.digest
                        and not exists (select from going_manifests g where g.id = m.id))
    group by repository_id, digest
    on conflict (repository_id, digest) do update set gone_at = greatest(s.gone_at, excluded.gone_at)`);
}

/** What refers to them and nothing keeps; how many are new. */
export async function previewOrphans(tx: Transaction): Promise<number> {
  const named = isNamedAfter(sql`s.digest`);
  const row = await tx.first<{ added: number }>(sql`
    with added as (
      insert into going_orphans
      select distinct m.id, m.repository_id, m.digest
      from gone_subjects s
      cross join lateral (
        select m.id from manifests m
        where m.repository_id = s.repository_id and m.subject_digest = s.digest and m.created_at <= s.gone_at
        union all
        select t.manifest_id from tags t where t.repository_id = s.repository_id and ${named} and t.updated_at <= s.gone_at) d
      join manifests m on m.id = d.id and m.deleted_at is null
      where m.leased_until <= now()
        and not exists (select from tags t where t.manifest_id = m.id
                          and not (${named} and not t.stale and t.updated_at <= s.gone_at))
        and not exists (select from holds h where h.manifest_id = m.id and coalesce(h.expires_at > now(), true))
        and not exists (select from manifest_children c join manifests p on p.id = c.manifest_id and p.deleted_at is null
                        where c.repository_id = m.repository_id and c.child_digest = m.digest
                          and not exists (select from going_orphans o where o.id = p.id))
      on conflict do nothing returning 1
    )
    select count(*) as added from added`);
  return row?.added ?? 0;
}

/** Conditions on the link `w`: nothing uses it that stays, and its time has come. */
function goes(undo: number) {
  return sql`
    not exists (select from manifest_blobs m where m.repository_id = w.repository_id and m.blob_id = w.blob_id
                  and not exists (select from going_manifests g where g.id = m.manifest_id))
    and not exists (select from file_entries e where e.repository_id = w.repository_id and e.blob_id = w.blob_id)
    and exists (select from repository_blobs rb
                where rb.repository_id = w.repository_id and rb.blob_id = w.blob_id and rb.leased_until <= now()
                  and (rb.deleted_at is null or rb.deleted_at + make_interval(secs => ${undo}) <= now()))`;
}

/** A page of the queue of links. */
export async function previewLinks(
  tx: Transaction,
  after: { review_after: string; repository_id: number; blob_id: number },
  { undo, delay }: GcClocks,
  limit: number,
): Promise<Step<{ review_after: string; repository_id: number; blob_id: number }>> {
  const rows = await tx.query<{ review_after: string; repository_id: number; blob_id: number; read: number }>(sql`
    with page as materialized (
      select review_after, repository_id, blob_id from link_reviews
      where review_after <= now() - make_interval(secs => ${delay})
        and (review_after, repository_id, blob_id)
            > (${after.review_after}::timestamptz, ${after.repository_id}::bigint, ${after.blob_id}::bigint)
      order by review_after, repository_id, blob_id limit ${limit}
    ), added as (
      insert into going_links select w.repository_id, w.blob_id from page w where ${goes(undo)} on conflict do nothing
    )
    select review_after::text as review_after, repository_id, blob_id, (select count(*) from page) as read
    from page p order by p.review_after desc, p.repository_id desc, p.blob_id desc limit 1`);
  const [last] = rows;
  return { added: 0, next: last && last.read === limit ? last : undefined };
}

/** What a page of the manifests that go leaves without a use. Only without a delay is it due in the same run. */
export async function previewFreedLinks(
  tx: Transaction,
  after: number,
  { undo }: GcClocks,
  limit: number,
): Promise<Step<number>> {
  const row = await tx.first<{ last: number | null; read: number }>(sql`
    with page as materialized (
      select id from going_manifests where id > ${after} order by id limit ${limit}
    ), added as (
      insert into going_links
      select w.repository_id, w.blob_id
      from (select distinct b.repository_id, b.blob_id from page p join manifest_blobs b on b.manifest_id = p.id) w
      where ${goes(undo)} on conflict do nothing
    )
    select max(id) as last, count(*) as read from page`);
  return { added: 0, next: row && row.read === limit ? (row.last ?? undefined) : undefined };
}

/** Contents that wait in the queue. */
export async function previewQueuedBlobs(tx: Transaction, after: number, limit: number): Promise<Step<number>> {
  const row = await tx.first<{ last: number | null; read: number }>(sql`
    with page as materialized (
      select blob_id from blob_reviews where blob_id > ${after} order by blob_id limit ${limit}
    ), added as (
      insert into going_blobs
      select b.id from page p join blob_reviews r on r.blob_id = p.blob_id and r.review_after <= now() join blobs b on b.id = p.blob_id
      where ${unlinked('b.id')} on conflict do nothing
    )
    select max(blob_id) as last, count(*) as read from page`);
  return { added: 0, next: row && row.read === limit ? (row.last ?? undefined) : undefined };
}

/** Contents of a page of the links that go. */
export async function previewBlobs(
  tx: Transaction,
  after: { repository_id: number; blob_id: number },
  limit: number,
): Promise<Step<{ repository_id: number; blob_id: number }>> {
  const rows = await tx.query<{ repository_id: number; blob_id: number; read: number }>(sql`
    with page as materialized (
      select repository_id, blob_id from going_links
      where (repository_id, blob_id) > (${after.repository_id}::bigint, ${after.blob_id}::bigint)
      order by repository_id, blob_id limit ${limit}
    ), added as (
      insert into going_blobs select distinct p.blob_id from page p where ${unlinked('p.blob_id')} on conflict do nothing
    )
    select repository_id, blob_id, (select count(*) from page) as read
    from page p order by p.repository_id desc, p.blob_id desc limit 1`);
  const [last] = rows;
  return { added: 0, next: last && last.read === limit ? last : undefined };
}

function unlinked(blob: 'b.id' | 'p.blob_id') {
  const id = blob === 'b.id' ? sql`b.id` : sql`p.blob_id`;
  return sql`not exists (
    select from repository_blobs rb where rb.blob_id = ${id}
      and not exists (select from going_links g where g.repository_id = rb.repository_id and g.blob_id = rb.blob_id))`;
}

export interface PreviewRow {
  manifests: number;
  orphans: number;
  links: number;
  blobs: number;
  bytes: number;
  uploads: number;
  objects: number;
  object_bytes: number;
}

/** The sums. Objects of what goes now are among those that leave the store when there is no delay for bytes, and no hold. */
export async function countPreview(
  tx: Transaction,
  where: { store: string; bytesDelay: number; uploadIdleSeconds: number | null },
): Promise<PreviewRow> {
  const row = await tx.first<PreviewRow>(sql`
    with gone as (
      select count(*) as blobs, coalesce(sum(b.size), 0) as bytes,
             count(*) filter (where b.store = ${where.store}) as objects,
             coalesce(sum(b.size) filter (where b.store = ${where.store}), 0) as object_bytes
      from going_blobs g join blobs b on b.id = g.blob_id
    ), idle as (
      select count(*) as uploads, count(*) filter (where store = ${where.store}) as objects,
             coalesce(sum(size) filter (where store = ${where.store}), 0) as object_bytes
      from uploads
      where touched_at < now() - make_interval(secs => ${where.uploadIdleSeconds}::float8)
        and (writer is null or writer_seen < now() - interval '60 seconds')
    ), dead as (
      select count(*) as objects, coalesce(sum(size), 0) as object_bytes from dead_objects
      where store = ${where.store} and delete_after <= now()
    ), held as (
      select exists (select from gc_holds where expires_at > now()) as held
    )
    select (select count(*) from going_manifests) as manifests, (select count(*) from going_orphans) as orphans,
           (select count(*) from going_links) as links, gone.blobs, gone.bytes::bigint as bytes, idle.uploads,
           case when held.held then 0
                else dead.objects + idle.objects + case when ${where.bytesDelay}::float8 <= 0 then gone.objects else 0 end
           end as objects,
           (case when held.held then 0
                 else dead.object_bytes + idle.object_bytes
                      + case when ${where.bytesDelay}::float8 <= 0 then gone.object_bytes else 0 end
            end)::bigint as object_bytes
    from gone, idle, dead, held`);
  return row as PreviewRow;
}
