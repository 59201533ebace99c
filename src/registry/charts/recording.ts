/** What a push of a chart adds to the push of its manifest, through whatever door it came. */
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { enqueue } from '../../jobs/queue.ts';
import { findBlob, readBlob } from '../blobs.ts';
import type { BlobFacts } from '../memory.ts';
import type { Tag } from '../names.ts';
import { deleteChartVersion, ensureChart, holdPath, upsertChartVersion } from '../queries/charts.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { examineChart, findSummary, type ChartSummary, type Unreadable } from './extract.ts';
import { CHART_LIMITS, READ_CHART } from './limits.ts';
import { chartLayer } from './manifest.ts';
import { fileOf, placeOf } from './names.ts';
import { TooManyCharts } from './read.ts';
import { tagOf } from './versions.ts';

/**
 * Before the transaction: the chart is read, unless it was before, so that the index is right as soon as the push is done.
 * A large one is listed by a job a moment later.
 */
export async function recordChart(
  registry: Registry,
  repository: Repository,
  manifest: { readonly blobs: readonly { readonly mediaType: string; readonly digest: Digest }[] },
) {
  const content = chartLayer(manifest.blobs)?.digest;
  const known = content && (await examine(registry, repository, content, CHART_LIMITS.readAtOnce));
  if (known !== 'later') return recorderOf(repository, content, known);
  return async (tx: Transaction, manifestId: number, tag: Tag): Promise<void> => {
    await deleteChartVersion(tx, repository.id, tag);
    await enqueue(tx, READ_CHART, { manifestId }, `${READ_CHART} ${manifestId}`);
  };
}

/** What the content says; undefined when it is not here. */
export async function examine(
  registry: Registry,
  repository: Repository,
  content: Digest,
  largest: number,
): Promise<ChartSummary | Unreadable | 'later' | undefined> {
  const known = await findSummary(registry.db, content);
  if (known) return known;
  const blob = await findBlob(registry, repository, content, false);
  if (!blob) return undefined;
  if (blob.size > CHART_LIMITS.compressed) {
    return { refused: `a chart may have at most ${CHART_LIMITS.compressed} bytes` };
  }
  if (blob.size > largest) return 'later';
  try {
    return await examineChart(registry.db, content, await readWhole(registry, blob));
  } catch (error) {
    if (error instanceof TooManyCharts && largest !== Infinity) return 'later';
    throw error;
  }
}

/** A tag is listed when it is the version, and the repository's last component the name, that the chart itself says. */
export function recorderOf(
  repository: Repository,
  content: Digest | undefined,
  chart: ChartSummary | Unreadable | undefined,
) {
  return async (tx: Transaction, manifestId: number, tag: Tag): Promise<void> => {
    // As it is called now, not when the request came in.
    const place = content && chart && 'entry' in chart ? placeOf(await holdPath(tx, repository.id)) : undefined;
    const isListed = content && chart && 'entry' in chart && chart.name === place?.name && tagOf(chart.version) === tag;
    if (!isListed) return deleteChartVersion(tx, repository.id, tag);
    await ensureChart(tx, { repositoryId: repository.id, name: chart.name });
    await upsertChartVersion(tx, {
      repositoryId: repository.id,
      tag,
      manifestId,
      content: digestToBytes(content),
      version: chart.version,
      file: fileOf(chart.name, chart.version),
      entry: chart.entry,
    });
  };
}

export async function readWhole(registry: Registry, blob: BlobFacts): Promise<Buffer> {
  const bytes = await readBlob(registry, blob);
  if (Buffer.isBuffer(bytes)) return bytes;
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
