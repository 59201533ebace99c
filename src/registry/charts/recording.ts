/** What a push of a chart adds to the push of its manifest, through whatever door it came. */
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { findBlob, readBlob } from '../blobs.ts';
import type { BlobFacts } from '../memory.ts';
import type { Tag } from '../names.ts';
import { deleteChartVersion, ensureChart, upsertChartVersion } from '../queries/charts.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { goJson } from './go-json.ts';
import { CHART_LIMITS } from './limits.ts';
import { chartLayer } from './manifest.ts';
import type { ChartMetadata } from './metadata.ts';
import { fileOf, placeOf } from './names.ts';
import { readChart } from './read.ts';
import { ChartRefused } from './refused.ts';
import { tagOf } from './versions.ts';

/** Before the transaction: the chart is read, so that the index is right as soon as the push is. */
export async function recordChart(
  registry: Registry,
  repository: Repository,
  manifest: { readonly blobs: readonly { readonly mediaType: string; readonly digest: Digest }[] },
) {
  const content = chartLayer(manifest.blobs)?.digest;
  const metadata = content && (await metadataOf(registry, repository, content));
  return recorderOf(repository, content, metadata);
}

export function recorderOf(repository: Repository, content: Digest | undefined, metadata: ChartMetadata | undefined) {
  return async (tx: Transaction, manifestId: number, tag: Tag): Promise<void> => {
    const place = placeOf(repository.path);
    const isListed = content && metadata && place && metadata.name === place.name && tagOf(metadata.version) === tag;
    if (!isListed) return deleteChartVersion(tx, repository.id, tag);
    await ensureChart(tx, { repositoryId: repository.id, projectId: repository.projectId, ...place });
    await upsertChartVersion(tx, {
      repositoryId: repository.id,
      tag,
      manifestId,
      content: digestToBytes(content),
      version: metadata.version,
      file: fileOf(metadata.name, metadata.version),
      entry: goJson(metadata),
    });
  };
}

/** Undefined for what helm could not load: it is stored as it was pushed, but not listed. */
async function metadataOf(
  registry: Registry,
  repository: Repository,
  content: Digest,
): Promise<ChartMetadata | undefined> {
  const blob = await findBlob(registry, repository, content, false);
  if (!blob || blob.size > CHART_LIMITS.compressed) return undefined;
  try {
    return (await readChart(await readWhole(registry, blob))).metadata;
  } catch (error) {
    if (error instanceof ChartRefused) return undefined;
    throw error;
  }
}

export async function readWhole(registry: Registry, blob: BlobFacts): Promise<Buffer> {
  const bytes = await readBlob(registry, blob);
  if (Buffer.isBuffer(bytes)) return bytes;
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
