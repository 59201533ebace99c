import sql from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

/** Takes what the run has in the trash out of it; returns which came back. Locked in the order of ids. */
export async function restoreOfRun(tx: Transaction, runId: number, ids: readonly number[]): Promise<Set<number>> {
  await tx.query(sql`
    select 1 from manifests where id = any (${ids}::bigint[]) and deleted_at is not null order by id for update`);
  const rows = await tx.query<{ id: number }>(sql`
    with back as (
      delete from deletions where manifest_id = any (${ids}::bigint[]) and run_id = ${runId} returning manifest_id
    )
    update manifests m set deleted_at = null from back
    where m.id = back.manifest_id and m.deleted_at is not null returning m.id`);
  return new Set(rows.map((row) => row.id));
}

/** Gives tags back that are free and whose manifest is here, with the time of their last push; returns their decisions. */
export async function restoreTags(
  tx: Transaction,
  repositoryId: number,
  decisions: readonly number[],
  actorId: number | null,
): Promise<Set<number>> {
  const rows = await tx.query<{ id: number }>(sql`
    with wanted as (
      select d.id, d.name, d.manifest_id, m.digest, d.pushed_at
      from retention_decisions d
      join manifests m on m.id = d.manifest_id and m.repository_id = ${repositoryId} and m.deleted_at is null
      where d.id = any (${decisions}::bigint[])
    ), back as (
      insert into tags (repository_id, name, manifest_id, updated_by, updated_at)
      select ${repositoryId}::bigint, name, manifest_id, ${actorId}::bigint, pushed_at from wanted order by name
      on conflict do nothing returning name
    ), history as (
      insert into tag_history (repository_id, name, old_digest, new_digest, actor_id)
      select ${repositoryId}::bigint, w.name, null, w.digest, ${actorId}::bigint from wanted w join back using (name)
    )
    select w.id from wanted w join back using (name)`);
  return new Set(rows.map((row) => row.id));
}

/** Charts among these: they are listed again once somebody has read them. */
export async function selectCharts(tx: Transaction, ids: readonly number[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    select id from manifests where id = any (${ids}::bigint[]) and kind = 'chart' order by id`);
  return rows.map((row) => row.id);
}
