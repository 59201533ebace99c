import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH, rooted } from './paths.ts';

/** The repository's path as it is called now; it is not renamed before this transaction is over. */
export async function holdPath(tx: Transaction, repositoryId: number): Promise<string> {
  const row = await tx.first<{ path: string }>(
    sql`select ${PATH} as path from repositories r where r.id = ${repositoryId} for share of r`,
  );
  return row!.path;
}

/** The parent of the path in the row `r` of `repositories`, as `chart_namespaces` has it. */
const PARENT = sql`regexp_replace(r.path, '/[^/]+$', '') collate "C"`;

/** The namespace and the chart in it, made when they are missing. The repository's path is held (`holdPath`). */
export async function ensureChart(tx: Transaction, chart: { repositoryId: number; name: string }): Promise<void> {
  await tx.query(sql`
    insert into chart_namespaces (project_id, path)
    select r.project_id, ${PARENT} from repositories r where r.id = ${chart.repositoryId} on conflict do nothing`);
  await tx.query(sql`
    insert into charts (repository_id, namespace_id, name)
    select r.id, n.id, ${chart.name} from repositories r join chart_namespaces n on n.path = ${PARENT}
    where r.id = ${chart.repositoryId}
    on conflict do nothing`);
}

export interface NewChartVersion {
  repositoryId: number;
  tag: string;
  manifestId: number;
  content: Buffer;
  version: string;
  file: string;
  entry: string;
}

/**
 * Lists the version, or changes what is listed under its tag. Its tag is locked by the caller. Nothing happens when all is
 * as it was, or when another chart of the namespace has the file name.
 */
export async function upsertChartVersion(tx: Transaction, v: NewChartVersion): Promise<void> {
  await tx.query(sql`
    update chart_versions
    set manifest_id = ${v.manifestId}, entry = ${v.entry}, content = ${v.content}::bytea,
        created_at = case when content = ${v.content}::bytea then created_at else now() end,
        yanked = exists (select from chart_yanks y where y.repository_id = ${v.repositoryId} and y.content = ${v.content}::bytea)
    where repository_id = ${v.repositoryId} and tag = ${v.tag}
      and (manifest_id, entry, content) is distinct from (${v.manifestId}::bigint, ${v.entry}::text, ${v.content}::bytea)`);
  await tx.query(sql`
    insert into chart_versions (repository_id, tag, manifest_id, namespace_id, content, version, file, entry, yanked)
    select ${v.repositoryId}::bigint, ${v.tag}, ${v.manifestId}::bigint, c.namespace_id, ${v.content}::bytea, ${v.version},
           ${v.file}, ${v.entry},
           exists (select from chart_yanks y where y.repository_id = ${v.repositoryId} and y.content = ${v.content}::bytea)
    from charts c where c.repository_id = ${v.repositoryId}
    on conflict do nothing`);
}

/** What is behind the tag is no version any more. */
export async function deleteChartVersion(tx: Transaction, repositoryId: number, tag: string): Promise<void> {
  await tx.query(sql`delete from chart_versions where repository_id = ${repositoryId} and tag = ${tag}`);
}

export interface NamespaceRow {
  id: number;
  epoch: number;
}

export function selectNamespace(db: Queryable, projectId: number, path: string): Promise<NamespaceRow | undefined> {
  return db.first<NamespaceRow>(sql`select id, epoch from chart_namespaces where path = ${rooted(projectId, path)}`);
}

export interface ChartVersionRow {
  version: string;
  content: Buffer;
  file: string;
  entry: string;
  created_at: Date;
}

export interface ChartRow {
  repository_id: number;
  name: string;
  epoch: number;
}

/** The charts of a namespace, each with the epoch of its latest change. */
export function selectCharts(db: Queryable, namespaceId: number): Promise<ChartRow[]> {
  return db.query<ChartRow>(sql`
    select repository_id, name, epoch from charts where namespace_id = ${namespaceId}`);
}

/** The versions of these charts that are to be found, in no order. */
export function selectListedVersions(
  db: Queryable,
  repositoryIds: readonly number[],
): Promise<(ChartVersionRow & { repository_id: number })[]> {
  return db.query<ChartVersionRow & { repository_id: number }>(sql`
    select repository_id, version, content, file, entry, created_at from chart_versions
    where repository_id = any (${repositoryIds}::bigint[]) and not yanked`);
}

export interface ChartFileRow {
  name: string;
  tag: string;
}

/** Which chart and version a file of the classic door is. */
export function selectChartFile(
  db: Queryable,
  projectId: number,
  namespace: string,
  file: string,
): Promise<ChartFileRow | undefined> {
  return db.first<ChartFileRow>(sql`
    select c.name, v.tag
    from chart_namespaces n
    join chart_versions v on v.namespace_id = n.id and v.file = ${file}
    join charts c on c.repository_id = v.repository_id
    where n.path = ${rooted(projectId, namespace)}`);
}

/** Whether a live manifest has this one as its subject, or a cosign tag is named after it. */
export async function isReferredTo(db: Queryable, repositoryId: number, digest: Buffer): Promise<boolean> {
  const tag = `sha256-${digest.toString('hex', 1)}.`;
  const row = await db.first<{ found: boolean }>(sql`
    select exists (select from manifests
                   where repository_id = ${repositoryId} and subject_digest = ${digest} and deleted_at is null)
        or exists (select from tags where repository_id = ${repositoryId} and starts_with(name, ${tag})) as found`);
  return row?.found ?? false;
}

export async function selectExtracted(db: Queryable, digest: Buffer, kind: string, version: number): Promise<unknown> {
  const row = await db.first<{ data: unknown }>(sql`
    select data from extracted_metadata where digest = ${digest} and kind = ${kind} and version >= ${version}`);
  return row?.data;
}

/** Keeps what was read out of a content; what a newer version of the hub has read stays. */
export async function insertExtracted(
  db: Queryable,
  extracted: { digest: Buffer; version: number; kinds: readonly string[]; data: readonly string[] },
): Promise<void> {
  await db.query(sql`
    insert into extracted_metadata (digest, kind, version, data)
    select ${extracted.digest}::bytea, kind, ${extracted.version}::int, data::jsonb
    from unnest(${extracted.kinds}::text[], ${extracted.data}::text[]) as e (kind, data) order by kind
    on conflict (digest, kind) do update set version = excluded.version, data = excluded.data
      where extracted_metadata.version < excluded.version`);
}

export interface VersionRow {
  version: string;
  tag: string;
  content: Buffer;
  manifest: Buffer;
  entry: string;
  created_at: Date;
  yanked: boolean;
  reason: string | null;
  yanked_at: Date | null;
}

/** All there are, yanked ones too, in no order. */
export function selectVersionNames(
  db: Queryable,
  repositoryId: number,
): Promise<{ version: string; yanked: boolean }[]> {
  return db.query<{ version: string; yanked: boolean }>(sql`
    select version, yanked from chart_versions where repository_id = ${repositoryId}`);
}

/** The versions of these tags, in no order. */
export function selectVersions(db: Queryable, repositoryId: number, tags: readonly string[]): Promise<VersionRow[]> {
  return db.query<VersionRow>(sql`
    select v.version, v.tag, v.content, m.digest as manifest, v.entry, v.created_at, v.yanked, y.reason, y.yanked_at
    from chart_versions v
    join manifests m on m.id = v.manifest_id
    left join chart_yanks y on y.repository_id = v.repository_id and y.content = v.content
    where v.repository_id = ${repositoryId} and v.tag = any (${tags}::text[])`);
}

export interface ProjectChartRow {
  path: string;
  namespace: string;
  name: string;
  versions: number;
  updated_at: Date;
}

/** Charts of a project that have versions to be found, by path. */
export function selectProjectCharts(
  db: Queryable,
  projectId: number,
  after: string,
  limit: number,
): Promise<ProjectChartRow[]> {
  return db.query<ProjectChartRow>(sql`
    select p.name || substr(r.path, length(p.root) + 1) as path, p.name || substr(n.path, length(p.root) + 1) as namespace,
           c.name, found.versions, found.updated_at
    from chart_namespaces n
    join projects p on p.id = n.project_id
    join charts c on c.namespace_id = n.id
    join repositories r on r.id = c.repository_id
    cross join lateral (select count(*) as versions, max(v.created_at) as updated_at from chart_versions v
                        where v.repository_id = c.repository_id and not v.yanked) found
    where n.project_id = ${projectId} and r.path > ${after === '' ? '' : rooted(projectId, after)} and found.versions > 0
    order by r.path limit ${limit}`);
}

/** Hides a content from the index; what is said again replaces what was said. Its tag is locked by the caller. */
export async function insertYank(
  tx: Transaction,
  yank: { repositoryId: number; content: Buffer; reason: string; actorId: number | null },
): Promise<void> {
  await tx.query(sql`
    insert into chart_yanks (repository_id, content, reason, yanked_by)
    values (${yank.repositoryId}, ${yank.content}, ${yank.reason}, ${yank.actorId})
    on conflict (repository_id, content) do update set reason = excluded.reason, yanked_by = excluded.yanked_by, yanked_at = now()`);
  await tx.query(sql`
    update chart_versions set yanked = true
    where repository_id = ${yank.repositoryId} and content = ${yank.content} and not yanked`);
}

export async function deleteYank(tx: Transaction, repositoryId: number, content: Buffer): Promise<void> {
  await tx.query(sql`delete from chart_yanks where repository_id = ${repositoryId} and content = ${content}`);
  await tx.query(sql`
    update chart_versions set yanked = false
    where repository_id = ${repositoryId} and content = ${content} and yanked`);
}

export interface PushedChartRow {
  id: number;
  media_type: string;
  payload: Buffer;
  repository_id: number;
  path: string;
  project_id: number;
  epoch: number;
}

/** A chart's manifest, while it is there. */
export function selectPushedChart(db: Queryable, manifestId: number): Promise<PushedChartRow | undefined> {
  return db.first<PushedChartRow>(sql`
    select m.id, m.media_type, p.payload, r.id as repository_id, ${PATH} as path, r.project_id, r.epoch
    from manifests m
    join manifest_payloads p on p.manifest_id = m.id
    join repositories r on r.id = m.repository_id
    where m.id = ${manifestId} and m.deleted_at is null`);
}

/** Manifests of charts that have a tag which looks like a version and is not listed, by id. */
export async function selectUnlisted(db: Queryable, after: number, limit: number): Promise<number[]> {
  const rows = await db.query<{ id: number }>(sql`
    select m.id from manifests m
    where m.kind = 'chart' and m.deleted_at is null and m.id > ${after}
      and exists (select from tags t
                  where t.manifest_id = m.id and t.name ~ '^v?[0-9]'
                    and not exists (select from chart_versions v where v.repository_id = t.repository_id and v.tag = t.name))
    order by m.id limit ${limit}`);
  return rows.map((row) => row.id);
}

/** The repository of a chart that has, or had, versions to be found. */
export function selectChart(
  db: Queryable,
  repositoryId: number,
): Promise<{ id: number; project_id: number; namespace: string; name: string } | undefined> {
  return db.first<{ id: number; project_id: number; namespace: string; name: string }>(sql`
    select r.id, r.project_id, p.name || substr(n.path, length(p.root) + 1) as namespace, c.name
    from repositories r join charts c on c.repository_id = r.id join chart_namespaces n on n.id = c.namespace_id
    join projects p on p.id = n.project_id
    where r.id = ${repositoryId}`);
}
