import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';

/** The namespace and the chart in it, made when they are missing. */
export async function ensureChart(
  tx: Transaction,
  chart: { repositoryId: number; projectId: number; namespace: string; name: string },
): Promise<void> {
  await tx.query(sql`
    insert into chart_namespaces (project_id, path) values (${chart.projectId}, ${chart.namespace}) on conflict do nothing`);
  await tx.query(sql`
    insert into charts (repository_id, namespace_id, name)
    select ${chart.repositoryId}::bigint, id, ${chart.name} from chart_namespaces where path = ${chart.namespace}
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

export function selectNamespace(db: Queryable, path: string): Promise<NamespaceRow | undefined> {
  return db.first<NamespaceRow>(sql`select id, epoch from chart_namespaces where path = ${path}`);
}

export interface ChartVersionRow {
  version: string;
  content: Buffer;
  file: string;
  entry: string;
  created_at: Date;
}

export interface ChangedChart {
  repository_id: number;
  name: string;
  epoch: number;
}

/** Charts that changed after the epoch. */
export function selectChangedCharts(db: Queryable, namespaceId: number, after: number): Promise<ChangedChart[]> {
  return db.query<ChangedChart>(sql`
    select repository_id, name, epoch from charts where namespace_id = ${namespaceId} and epoch > ${after}`);
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
  path: string;
  name: string;
  version: string;
  tag: string;
}

/** Which chart and version a file of the classic door is. */
export function selectChartFile(db: Queryable, namespace: string, file: string): Promise<ChartFileRow | undefined> {
  return db.first<ChartFileRow>(sql`
    select r.path, c.name, v.version, v.tag
    from chart_namespaces n
    join chart_versions v on v.namespace_id = n.id and v.file = ${file}
    join charts c on c.repository_id = v.repository_id
    join repositories r on r.id = v.repository_id
    where n.path = ${namespace}`);
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
