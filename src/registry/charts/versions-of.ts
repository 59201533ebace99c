/** The versions of a chart, as people and programs look at them. */
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import { selectChart, selectVersionNames, selectVersions, type VersionRow } from '../queries/charts.ts';
import type { ChartMetadata } from './metadata.ts';
import { isVersion, resolveVersion, sortNewestFirst, tagOf } from './versions.ts';

export interface ChartRepository {
  readonly id: number;
  readonly projectId: number;
  readonly namespace: string;
  readonly name: string;
}

export async function findChart(db: Queryable, repositoryId: number): Promise<ChartRepository | undefined> {
  const row = await selectChart(db, repositoryId);
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

/** A page of them after `last`, newest first; yanked ones are among them. */
export async function listVersions(
  db: Queryable,
  repository: ChartRepository,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<ChartVersion[]> {
  const names = sortNewestFirst(await selectVersionNames(db, repository.id), (row) => row.version);
  const start = page.after === undefined ? 0 : names.findIndex((row) => row.version === page.after) + 1;
  const tags = names.slice(start, start + page.limit).map((row) => tagOf(row.version));
  const rows = await selectVersions(db, repository.id, tags);
  return sortNewestFirst(rows, (row) => row.version).map(toVersion);
}

/**
 * One version: exactly that one, yanked or not; else what `latest` or a range finds among those that are to be found.
 */
export async function resolveChartVersion(
  db: Queryable,
  repository: ChartRepository,
  wanted: string,
): Promise<ChartVersion | undefined> {
  const exact = await selectVersion(db, repository, wanted);
  if (exact) return exact;
  const names = (await selectVersionNames(db, repository.id)).filter((row) => !row.yanked).map((row) => row.version);
  const version = resolveVersion(
    sortNewestFirst(names, (name) => name),
    wanted,
  );
  return version === undefined ? undefined : selectVersion(db, repository, version);
}

async function selectVersion(
  db: Queryable,
  repository: ChartRepository,
  version: string,
): Promise<ChartVersion | undefined> {
  if (!isVersion(version)) return undefined;
  const [row] = await selectVersions(db, repository.id, [tagOf(version)]);
  return row?.version === version ? toVersion(row) : undefined;
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
