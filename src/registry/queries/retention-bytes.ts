/** What becomes free in a project in the end, when manifests go. Temporary tables, so that no list is too long for memory. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

export async function makeGoneTables(tx: Transaction): Promise<void> {
  await tx.query(sql`create temporary table retention_gone (manifest_id bigint primary key) on commit drop`);
  await tx.query(sql`
    create temporary table retention_gone_drafts (
      repository_id bigint, name text collate "C", primary key (repository_id, name)
    ) on commit drop`);
}

export async function addGone(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.query(sql`insert into retention_gone select unnest(${ids}::bigint[]) on conflict do nothing`);
}

/** Everything that the run has in the trash. */
export async function addGoneOfRun(tx: Transaction, runId: number): Promise<void> {
  await tx.query(sql`insert into retention_gone select manifest_id from deletions where run_id = ${runId}`);
}

/** Versions whose files are not in a manifest yet. */
export async function addGoneDrafts(tx: Transaction, repositoryId: number, names: readonly string[]): Promise<void> {
  await tx.query(sql`
    insert into retention_gone_drafts select ${repositoryId}::bigint, unnest(${names}::text[]) on conflict do nothing`);
}

/** Bytes of blobs that only what is gone needs: each blob once, whatever the number of repositories that have it. */
export async function selectFreedBytes(tx: Transaction, projectId: number): Promise<number> {
  await analyse(tx);
  const row = await tx.first<{ bytes: number }>(sql`
    with touched as (
      select mb.blob_id from retention_gone g join manifest_blobs mb on mb.manifest_id = g.manifest_id
      union
      select e.blob_id from retention_gone_drafts d
      join file_versions v on v.repository_id = d.repository_id and v.name = d.name
      join file_entries e on e.version_id = v.id
    )
    select coalesce(sum(b.size), 0)::bigint as bytes
    from touched t join blobs b on b.id = t.blob_id
    where not exists (
            select from repositories r
            join repository_blobs rb on rb.repository_id = r.id and rb.blob_id = t.blob_id
            join manifest_blobs mb on mb.repository_id = rb.repository_id and mb.blob_id = rb.blob_id
            join manifests m on m.id = mb.manifest_id and m.deleted_at is null
            where r.project_id = ${projectId}
              and not exists (select from retention_gone g where g.manifest_id = mb.manifest_id))
      and not exists (
            select from repositories r
            join file_entries e on e.repository_id = r.id and e.blob_id = t.blob_id
            join file_versions v on v.id = e.version_id
            where r.project_id = ${projectId}
              and not exists (select from retention_gone_drafts d where d.repository_id = v.repository_id and d.name = v.name))`);
  return row!.bytes;
}

/** The planner knows nothing of a temporary table otherwise. */
async function analyse(tx: Queryable): Promise<void> {
  await tx.query(sql`analyze retention_gone`);
  await tx.query(sql`analyze retention_gone_drafts`);
}
