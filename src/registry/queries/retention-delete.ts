/**
 * A batch of a run, in its transaction: what it means to delete is locked, without waiting for anybody, and looked at again.
 * The repository's row comes first, then manifests by id, then tags by name.
 */
import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

/** Undefined when somebody has it: try again later. */
export async function tryLockRepository(
  tx: Transaction,
  repositoryId: number,
): Promise<{ projectId: number; path: string } | undefined> {
  return tx.first<{ projectId: number; path: string }>(sql`
    select r.project_id as "projectId", ${PATH} as path from repositories r
    where r.id = ${repositoryId} for no key update of r skip locked`);
}

export interface LockedManifest {
  id: number;
  digest: Buffer;
}

/** Live ones that nobody has locked. */
export function tryLockManifests(
  tx: Transaction,
  repositoryId: number,
  ids: readonly number[],
): Promise<LockedManifest[]> {
  return tx.query<LockedManifest>(sql`
    select id, digest from manifests
    where repository_id = ${repositoryId} and id = any (${ids}::bigint[]) and deleted_at is null
    order by id for update skip locked`);
}

/** Those of `ids` that are live, locked or not. */
export async function selectLive(tx: Transaction, ids: readonly number[]): Promise<Set<number>> {
  const rows = await tx.query<{ id: number }>(sql`
    select id from manifests where id = any (${ids}::bigint[]) and deleted_at is null`);
  return new Set(rows.map((row) => row.id));
}

export interface TagNow {
  name: string;
  manifest_id: number;
  digest: Buffer;
  pushed: number;
  stale: boolean;
  /** Nobody else has it locked. */
  locked: boolean;
  pulled: number | null;
  /** Of what it points at. */
  leased: boolean;
  held: boolean;
  /** Of a tag that stands for what refers to a digest. */
  subject_id: number | null;
}

/** The tags of these names, and all tags of these manifests. */
export async function lockTagsNow(
  tx: Transaction,
  repositoryId: number,
  names: readonly string[],
  manifestIds: readonly number[],
): Promise<TagNow[]> {
  const locked = await tx.query<{ name: string }>(sql`
    select name from tags
    where repository_id = ${repositoryId} and (name = any (${names}::text[]) or manifest_id = any (${manifestIds}::bigint[]))
    order by name for update skip locked`);
  const mine = locked.map((row) => row.name);
  // A statement of its own, so that it sees what those have done who had a lock before.
  return tx.query<TagNow>(sql`
    select t.name, t.manifest_id, m.digest, extract(epoch from t.updated_at)::float8 as pushed, t.stale,
           t.name = any (${mine}::text[]) as locked, extract(epoch from p.last_pulled_at)::float8 as pulled, s.id as subject_id,
           m.leased_until > now() as leased,
           exists (select from holds h where h.manifest_id = m.id and coalesce(h.expires_at > now(), true)) as held
    from tags t join manifests m on m.id = t.manifest_id
    left join tag_pulls p on p.repository_id = t.repository_id and p.name = t.name
    left join manifests s on s.repository_id = t.repository_id and s.deleted_at is null
      and s.digest = case when t.name ~ '^sha256-[0-9a-f]{64}(\\.[a-zA-Z0-9._-]+)?$'
                          then decode('01' || substr(t.name, 8, 64), 'hex') end
    where t.repository_id = ${repositoryId}
      and (t.name = any (${names}::text[]) or t.manifest_id = any (${manifestIds}::bigint[]))
    order by t.name`);
}

export interface ManifestNow {
  id: number;
  leased: boolean;
  held: boolean;
  /** Something live outside the batch lists it. */
  listed: boolean;
  /** What it refers to is live and not in the batch. */
  refers: boolean;
  /** Something live refers to it that did not when the run decided. */
  referred: boolean;
  pulled: number | null;
}

/** @param known what referred to them when the run decided */
export function selectManifestsNow(
  tx: Transaction,
  repositoryId: number,
  ids: readonly number[],
  known: readonly number[],
): Promise<ManifestNow[]> {
  return tx.query<ManifestNow>(sql`
    select m.id, m.leased_until > now() as leased,
           exists (select from holds h where h.manifest_id = m.id and coalesce(h.expires_at > now(), true)) as held,
           exists (select from manifest_children c join manifests p on p.id = c.manifest_id and p.deleted_at is null
                   where c.repository_id = m.repository_id and c.child_digest = m.digest
                     and not (p.id = any (${ids}::bigint[]))) as listed,
           m.subject_digest is not null and exists (
             select from manifests s where s.repository_id = m.repository_id and s.digest = m.subject_digest
               and s.deleted_at is null and not (s.id = any (${ids}::bigint[]))) as refers,
           exists (select from manifests f where f.repository_id = m.repository_id and f.subject_digest = m.digest
                     and f.deleted_at is null and not (f.id = any (${known}::bigint[]))) as referred,
           extract(epoch from p.last_pulled_at)::float8 as pulled
    from manifests m left join manifest_pulls p on p.manifest_id = m.id
    where m.repository_id = ${repositoryId} and m.id = any (${ids}::bigint[])`);
}

/** Which of these tags are still there; a run that keeps the latest of something counts on them. */
export async function countTags(tx: Transaction, repositoryId: number, names: readonly string[]): Promise<number> {
  const row = await tx.first<{ n: number }>(sql`
    select count(*) as n from tags where repository_id = ${repositoryId} and name = any (${names}::text[])`);
  return row!.n;
}

export function selectTagManifest(
  db: Queryable,
  repositoryId: number,
  name: string,
): Promise<{ manifest_id: number } | undefined> {
  return db.first<{ manifest_id: number }>(sql`
    select manifest_id from tags where repository_id = ${repositoryId} and name = ${name}`);
}
