/** A whole repository on its way into the trash, and its row once nothing is left of it. */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** How many live manifests it has, up to a limit, and the newest of them. */
export async function selectExtent(
  db: Queryable,
  repositoryId: number,
  limit: number,
): Promise<{ manifests: number; newest: number }> {
  const row = await db.first<{ manifests: number; newest: number | null }>(sql`
    select (select count(*) from (select 1 from manifests
                                  where repository_id = ${repositoryId} and deleted_at is null limit ${limit}) counted) as manifests,
           (select max(id) from manifests where repository_id = ${repositoryId}) as newest`);
  return { manifests: row?.manifests ?? 0, newest: row?.newest ?? 0 };
}

export async function markDeleted(tx: Transaction, repositoryId: number): Promise<void> {
  await tx.query(sql`update repositories set deleted_at = now(), epoch = epoch + 1 where id = ${repositoryId}`);
}

/** Live manifests that no live index lists, locked against everyone who would refer to them. */
export function lockUnlisted(
  tx: Transaction,
  repositoryId: number,
  upTo: number,
  limit: number,
): Promise<{ id: number; digest: Buffer }[]> {
  return tx.query(sql`
    select m.id, m.digest from manifests m
    where m.repository_id = ${repositoryId} and m.deleted_at is null and m.id <= ${upTo}
      and not exists (select from manifest_children c join manifests parent on parent.id = c.manifest_id
                      where c.repository_id = ${repositoryId} and c.child_digest = m.digest and parent.deleted_at is null)
      and not exists (select from holds h where h.manifest_id = m.id and (h.expires_at is null or h.expires_at > now()))
    order by m.id limit ${limit} for update of m`);
}

/** Those of the locked manifests that an index lists which came while the lock was waited for. */
export async function selectListedNow(tx: Transaction, ids: readonly number[]): Promise<Set<number>> {
  const rows = await tx.query<{ id: number }>(sql`
    select m.id from manifests m
    where m.id = any (${ids}::bigint[])
      and exists (select from manifest_children c join manifests parent on parent.id = c.manifest_id
                  where c.repository_id = m.repository_id and c.child_digest = m.digest and parent.deleted_at is null)`);
  return new Set(rows.map(({ id }) => id));
}

/** Their tags, locked. */
export function lockTagsOfAll(
  tx: Transaction,
  repositoryId: number,
  manifestIds: readonly number[],
): Promise<{ name: string; manifest_id: number; stale: boolean }[]> {
  return tx.query(sql`
    select name, manifest_id, stale from tags where repository_id = ${repositoryId} and manifest_id = any (${manifestIds}::bigint[])
    order by name for update`);
}

export function selectStaleTags(
  db: Queryable,
  repositoryId: number,
  after: string,
  limit: number,
): Promise<{ name: string }[]> {
  return db.query(sql`
    select name from tags where repository_id = ${repositoryId} and stale and name > ${after} order by name limit ${limit}`);
}

/**
 * Removes rows of deleted repositories that hold nothing any more, not even in the trash. As long as a project has rules on
 * immutable tags, the history is what keeps a tag from coming back as something else, so it stays.
 * @param projectId of one project, which is about to go itself; null: of all that have no such rules
 */
export async function forgetEmptied(tx: Transaction, projectId: number | null, limit: number): Promise<number> {
  const rows = await tx.query<{ id: number }>(sql`
    select r.id from repositories r join projects p on p.id = r.project_id
    where r.deleted_at is not null
      and case when ${projectId}::bigint is null then not p.has_immutability else r.project_id = ${projectId} end
      and not exists (select from manifests m where m.repository_id = r.id)
      and not exists (select from repository_blobs b where b.repository_id = r.id)
      and not exists (select from uploads u where u.repository_id = r.id)
    order by r.id limit ${limit} for update of r skip locked`);
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await tx.query(sql`delete from tag_history where repository_id = any (${ids}::bigint[])`);
  await tx.query(sql`delete from subject_reviews where repository_id = any (${ids}::bigint[])`);
  await tx.query(sql`delete from repositories where id = any (${ids}::bigint[])`);
  return ids.length;
}
