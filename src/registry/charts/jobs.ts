/** Background work for charts. */
import { parseManifest } from '../manifest.ts';
import type { RepositoryPath, Tag } from '../names.ts';
import { selectPushedChart, selectUnlisted } from '../queries/charts.ts';
import { selectUnlistedOf } from '../queries/rename-charts.ts';
import { lockTagsOf } from '../queries/tags.ts';
import type { Registry } from '../registry.ts';
import { chartLayer } from './manifest.ts';
import { examine, recorderOf } from './recording.ts';

/** Reads a chart that was too large to be read while its push waited, and lists it under the tags that it has by then. */
export async function readPushedChart(registry: Registry, manifestId: number): Promise<void> {
  const row = await selectPushedChart(registry.db, manifestId);
  if (!row) return;
  const { repository_id: id, project_id: projectId, epoch } = row;
  const repository = { id, path: row.path as RepositoryPath, projectId, epoch, sparse: false, limited: false };
  const content = chartLayer(parseManifest(row.payload, row.media_type).blobs)?.digest;
  const chart = content && (await examine(registry, repository, content, Infinity));
  if (chart === undefined || chart === 'later') return;
  const record = recorderOf(repository, content, chart);
  await registry.db.transaction(async (tx) => {
    for (const { name } of await lockTagsOf(tx, id, manifestId)) await record(tx, manifestId, name as Tag);
  });
}

const BATCH = 200;

/** Lists what is a chart at the path that its repository was given. */
export async function listChartsOf(registry: Registry, repositoryId: number): Promise<void> {
  for (let after = 0; ;) {
    const ids = await selectUnlistedOf(registry.db, repositoryId, after, BATCH);
    for (const id of ids) await readPushedChart(registry, id);
    if (ids.length < BATCH) return;
    after = ids.at(-1) as number;
  }
}

/**
 * Lists what is not listed and should be: charts that a hub of an earlier version took, or whose layer came after them. What
 * was read before is not read again.
 */
export async function listUnlistedCharts(registry: Registry): Promise<void> {
  for (let after = 0; ;) {
    const ids = await selectUnlisted(registry.db, after, BATCH);
    for (const id of ids) await readPushedChart(registry, id);
    if (ids.length < BATCH) return;
    after = ids.at(-1) as number;
  }
}
