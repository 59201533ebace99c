/** What refers to a manifest that is gone for good: by `subject`, or by a tag that says its digest. */
import sql, { type Sql } from 'sql-template-tag';
import type { Transaction } from '../../db/database.ts';

export interface Subject {
  readonly repository_id: number;
  readonly digest: Buffer;
}

export interface SubjectCursor extends Subject {
  readonly review_after: string;
}

export const FIRST_SUBJECT: SubjectCursor = { review_after: '-infinity', repository_id: 0, digest: Buffer.alloc(0) };

/** The next subject that was due at `until`, locked. */
export function lockDueSubject(
  tx: Transaction,
  due: { until: string; after: SubjectCursor },
): Promise<SubjectCursor | undefined> {
  const { after } = due;
  return tx.first<SubjectCursor>(sql`
    select review_after::text as review_after, repository_id, digest from subject_reviews
    where review_after <= ${due.until}::timestamptz
      and (review_after, repository_id, digest)
          > (${after.review_after}::timestamptz, ${after.repository_id}::bigint, ${after.digest}::bytea)
    order by subject_reviews.review_after, repository_id, digest limit 1
    for update skip locked`);
}

/** The review again, locked, for its next page. False when it is over or somebody has it. */
export async function relockSubject(tx: Transaction, subject: Subject): Promise<boolean> {
  const row = await tx.first(sql`
    select 1 as ok from subject_reviews where repository_id = ${subject.repository_id} and digest = ${subject.digest}
    for update skip locked`);
  return row !== undefined;
}

/** Whether the manifest is here again, be it in the trash, from where it will come to this review again. */
export async function isHereAgain(tx: Transaction, subject: Subject): Promise<boolean> {
  const row = await tx.first(sql`
    select 1 as ok from manifests where repository_id = ${subject.repository_id} and digest = ${subject.digest}`);
  return row !== undefined;
}

export async function endReview(tx: Transaction, subject: Subject): Promise<void> {
  await tx.query(sql`
    delete from subject_reviews where repository_id = ${subject.repository_id} and digest = ${subject.digest}`);
}

export async function putReviewOff(tx: Transaction, subject: Subject, until: string): Promise<void> {
  await tx.query(sql`
    update subject_reviews set review_after = greatest(${until}::timestamptz, now())
    where repository_id = ${subject.repository_id} and digest = ${subject.digest}`);
}

/** Whether the tag `t` is named after the subject: `sha256-<hex>`, `sha256-<hex>.sig` … */
export function isNamedAfter(digest: Buffer | Sql): Sql {
  const name = sql`referrers_tag(${digest}::bytea) collate "C"`;
  return sql`(t.name = ${name} or (t.name > ${name} || '.' and t.name < ${name} || '/'))`;
}

/** A page of live manifests that referred to the subject when it was deleted, by id. */
export async function selectDependents(
  tx: Transaction,
  subject: Subject,
  after: number,
  limit: number,
): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    with gone as (
      select gone_at from subject_reviews where repository_id = ${subject.repository_id} and digest = ${subject.digest}
    )
    select id from (
      select m.id from gone, manifests m
      where m.repository_id = ${subject.repository_id} and m.subject_digest = ${subject.digest} and m.deleted_at is null
        and m.created_at <= gone.gone_at and m.id > ${after}
      union
      select m.id from gone, tags t join manifests m on m.id = t.manifest_id and m.deleted_at is null
      where t.repository_id = ${subject.repository_id} and ${isNamedAfter(subject.digest)}
        and t.updated_at <= gone.gone_at and m.id > ${after}) dependents
    order by id limit ${limit}`);
  return rows.map((row) => row.id);
}

/** Those of the manifests that are live and that nobody has locked, locked against tags, holds, indexes and pushes. */
export async function lockFreeManifests(tx: Transaction, ids: readonly number[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    select id from manifests where id = any (${ids}::bigint[]) and deleted_at is null order by id for update skip locked`);
  return rows.map((row) => row.id);
}

export interface DependentRow {
  id: number;
  digest: Buffer;
  /** Those that say the subject's digest. */
  tags: string[];
  /** Somebody gave it another name: it stays. */
  named: boolean;
  /** When to look again at what a lease, a hold or a live index keeps. Null: nothing keeps it. */
  until: string | null;
}

/** What keeps the locked manifests. A statement after the one that locked them. */
export function selectDependentFacts(
  tx: Transaction,
  subject: Subject,
  ids: readonly number[],
): Promise<DependentRow[]> {
  return tx.query<DependentRow>(sql`
    select m.id, m.digest,
           array(select t.name::text from tags t where t.manifest_id = m.id and ${isNamedAfter(subject.digest)}
                   and not t.stale and t.updated_at <= s.gone_at order by t.name) as tags,
           exists (select from tags t where t.manifest_id = m.id
                     and not (${isNamedAfter(subject.digest)} and not t.stale and t.updated_at <= s.gone_at)) as named,
           greatest(case when m.leased_until > now() then m.leased_until end,
                    (select max(coalesce(h.expires_at, now() + interval '1 hour')) from holds h
                     where h.manifest_id = m.id and coalesce(h.expires_at > now(), true)),
                    (select now() + interval '1 hour' from manifest_children c join manifests p on p.id = c.manifest_id
                     where c.repository_id = m.repository_id and c.child_digest = m.digest and p.deleted_at is null
                     limit 1))::text as until
    from unnest(${ids}::bigint[]) as w (id) join manifests m on m.id = w.id
    join subject_reviews s on s.repository_id = ${subject.repository_id} and s.digest = ${subject.digest}
    order by m.id`);
}

/** The tags, locked, unless somebody has one of them. */
export async function lockFreeTags(
  tx: Transaction,
  repositoryId: number,
  names: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.query<{ name: string }>(sql`
    select name from tags where repository_id = ${repositoryId} and name = any (${names}::text[]) order by name
    for update skip locked`);
  return new Set(rows.map((row) => row.name));
}

export async function selectProjectOf(tx: Transaction, repositoryId: number): Promise<number> {
  const row = await tx.first<{ project_id: number }>(
    sql`select project_id from repositories where id = ${repositoryId}`,
  );
  return (row as { project_id: number }).project_id;
}
