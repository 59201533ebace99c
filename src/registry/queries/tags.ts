import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** True when the tag is new; false when there is one already (which is then left alone). */
export async function insertTag(
  db: Queryable,
  tag: { repositoryId: number; name: string; manifestId: number; actorId: number | null },
): Promise<boolean> {
  const row = await db.first(sql`
    insert into tags (repository_id, name, manifest_id, updated_by)
    values (${tag.repositoryId}, ${tag.name}, ${tag.manifestId}, ${tag.actorId}) on conflict do nothing returning 1 as ok`);
  return row !== undefined;
}

export interface TagRow {
  name: string;
  manifest_id: number;
  digest: Buffer;
  kind: string;
  /** The manifest is older than the version's files: see files/build.ts. */
  stale: boolean;
  /** A version of files that was finalised. */
  final: boolean;
}

/**
 * The tag, locked. Two statements: one that waits for a lock re-reads the row it locks, but not the rows it joins, and
 * would find nothing when the tag was moved meanwhile.
 */
export async function lockTag(tx: Transaction, repositoryId: number, name: string): Promise<TagRow | undefined> {
  const tag = await tx.first(sql`
    select 1 as ok from tags where repository_id = ${repositoryId} and name = ${name} for update`);
  if (!tag) return undefined;
  return tx.first<TagRow>(sql`
    select t.name, t.manifest_id, m.digest, m.kind, t.stale,
           m.kind = 'file' and exists (select 1 from file_versions v
             where v.repository_id = t.repository_id and v.name = t.name and v.finalised_at is not null) as final
    from tags t join manifests m on m.id = t.manifest_id
    where t.repository_id = ${repositoryId} and t.name = ${name}`);
}

/** The tags of a manifest, in order, locked. */
export function lockTagsOf(
  db: Queryable,
  repositoryId: number,
  manifestId: number,
): Promise<{ name: string; stale: boolean }[]> {
  return db.query<{ name: string; stale: boolean }>(sql`
    select name, stale from tags where repository_id = ${repositoryId} and manifest_id = ${manifestId} order by name for update`);
}

export function selectTagsOf(db: Queryable, repositoryId: number, digest: Buffer): Promise<{ name: string }[]> {
  return db.query<{ name: string }>(sql`
    select t.name from tags t join manifests m on m.id = t.manifest_id
    where t.repository_id = ${repositoryId} and m.repository_id = ${repositoryId} and m.digest = ${digest} order by t.name`);
}

/** Points the tag elsewhere; what was being put into its version file by file goes. */
export async function moveTag(
  db: Queryable,
  tag: { repositoryId: number; name: string; manifestId: number; actorId: number | null },
): Promise<void> {
  await db.query(sql`
    with draft as (
      delete from file_versions where repository_id = ${tag.repositoryId} and name = ${tag.name}
    )
    update tags set manifest_id = ${tag.manifestId}, stale = false, updated_by = ${tag.actorId}, updated_at = now()
    where repository_id = ${tag.repositoryId} and name = ${tag.name}`);
}

export async function removeTags(db: Queryable, repositoryId: number, names: readonly string[]): Promise<void> {
  await db.query(sql`delete from tags where repository_id = ${repositoryId} and name = any (${names})`);
}

export async function recordTagMoves(
  db: Queryable,
  moves: {
    repositoryId: number;
    actorId: number | null;
    names: readonly string[];
    before: readonly (Buffer | null)[];
    after: Buffer | null;
  },
): Promise<void> {
  await db.query(sql`
    insert into tag_history (repository_id, name, old_digest, new_digest, actor_id, actor_name)
    select ${moves.repositoryId}::bigint, name, before, ${moves.after}::bytea, ${moves.actorId}::bigint,
           (select p.name from principals p where p.id = ${moves.actorId}::bigint)
    from unnest(${moves.names}::text[], ${moves.before}::bytea[]) as m (name, before)`);
}

/**
 * Up to `limit` tag names after `after` in byte order, as one text with `","` between them, which no name contains: one text value
 * is cheaper to carry and print than ten thousand rows. Null when there are none.
 */
export async function selectTagPage(
  db: Queryable,
  repositoryId: number,
  after: string,
  limit: number,
): Promise<{ names: string | null; count: number }> {
  const row = await db.first<{ names: string | null; count: number }>(sql`
    select string_agg(name, '","') as names, count(*) as count
    from (select name from tags where repository_id = ${repositoryId} and name > ${after} order by name limit ${limit}) t`);
  return row as { names: string | null; count: number };
}
