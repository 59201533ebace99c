/** The versions of a chart, as people and programs look at them. */
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import type { RepositoryPath } from '../names.ts';
import { selectChart, selectVersions, type VersionRow } from '../queries/charts.ts';
import type { ChartMetadata } from './metadata.ts';
import { newestFirst, resolveVersion, tagOf } from './versions.ts';

export interface ChartRepository {
  readonly id: number;
  readonly projectId: number;
  readonly namespace: string;
  readonly name: string;
}

export async function findChart(db: Queryable, path: RepositoryPath): Promise<ChartRepository | undefined> {
  const row = await selectChart(db, path);
  return row && { id: row.id, projectId: row.project_id, namespace: row.namespace, name: row.name };
}

export interface ChartVersion {
  readonly version: string;
  readonly tag: string;
  /** Of the archive. */
  readonly content: Digest;
  readonly manifest: Digest;
  readonly metadata: ChartMetadata;
  readonly createdAt: Date;
  readonly yanked: { readonly reason: string; readonly at: Date } | undefined;
}

/** Newest first; yanked ones are among them. */
export async function listVersions(db: Queryable, repository: ChartRepository): Promise<ChartVersion[]> {
  const rows = await selectVersions(db, repository.id, null);
  return rows.sort((a, b) => newestFirst(a.version, b.version)).map(toVersion);
}

/**
 * One version: exactly that one, yanked or not; else what `latest` or a range finds among those that are to be found.
 */
export async function resolveChartVersion(
  db: Queryable,
  repository: ChartRepository,
  wanted: string,
): Promise<ChartVersion | undefined> {
  const [exact] = wanted.length <= 128 ? await selectVersions(db, repository.id, tagOf(wanted)) : [];
  if (exact?.version === wanted) return toVersion(exact);
  const rows = (await selectVersions(db, repository.id, null)).filter((row) => !row.yanked);
  const sorted = rows.sort((a, b) => newestFirst(a.version, b.version));
  const version = resolveVersion(
    sorted.map((row) => row.version),
    wanted,
  );
  const row = sorted.find((each) => each.version === version);
  return row && toVersion(row);
}

function toVersion(row: VersionRow): ChartVersion {
  return {
    version: row.version,
    tag: row.tag,
    content: digestFromBytes(row.content),
    manifest: digestFromBytes(row.manifest),
    metadata: JSON.parse(row.entry) as ChartMetadata,
    createdAt: row.created_at,
    yanked: row.yanked && row.yanked_at ? { reason: row.reason ?? '', at: row.yanked_at } : undefined,
  };
}
