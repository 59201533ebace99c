import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** Those of the manifests that the run has in the trash; somebody else may have deleted one again since. */
export async function selectTrashOfRun(db: Queryable, runId: number, ids: readonly number[]): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    select manifest_id as id from deletions where manifest_id = any (${ids}::bigint[]) and run_id = ${runId} order by id`);
  return rows.map((row) => row.id);
}

/** Whether manifests of the repository may name what is not here; undefined when it is gone. */
export async function selectSparse(db: Queryable, repositoryId: number): Promise<boolean | undefined> {
  const row = await db.first<{ sparse: boolean }>(sql`
    select p.allow_sparse as sparse from repositories r join projects p on p.id = r.project_id where r.id = ${repositoryId}`);
  return row?.sparse;
}

/**
 * Gives tags back that are free, that nobody has had since, and whose manifest is here, with the time of their last push;
 * returns their decisions.
 */
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
      cross join lateral (select h.old_digest, h.new_digest from tag_history h
                          where h.repository_id = ${repositoryId} and h.name = d.name order by h.id desc limit 1) last
      where d.id = any (${decisions}::bigint[]) and last.new_digest is null and last.old_digest = m.digest
    ), back as (
      insert into tags (repository_id, name, manifest_id, updated_by, updated_at)
      select ${repositoryId}::bigint, name, manifest_id, ${actorId}::bigint, pushed_at from wanted order by name
      on conflict do nothing returning name
    ), history as (
      insert into tag_history (repository_id, name, old_digest, new_digest, actor_id, actor_name)
      select ${repositoryId}::bigint, w.name, null, w.digest, ${actorId}::bigint,
             (select p.name from principals p where p.id = ${actorId}::bigint) from wanted w join back using (name)
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
