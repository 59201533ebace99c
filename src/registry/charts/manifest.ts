/** The OCI form of a chart, made as helm makes it when it pushes (pkg/registry/client.go), so that digests agree. */
import { digestOf, type Digest } from '../../blobs/digest.ts';
import { goJson, sorted } from './go-json.ts';
import type { ChartMetadata } from './metadata.ts';

const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** Of helm before 3.0; helm still reads it. */
const LEGACY_CHART_LAYER = 'application/tar+gzip';
const PROVENANCE_LAYER = 'application/vnd.cncf.helm.chart.provenance.v1.prov';

/** By type: helm sorts layers by digest. */
export function chartLayer<L extends Layer>(layers: readonly L[]): L | undefined {
  return layers.find(({ mediaType }) => mediaType === CHART_LAYER || mediaType === LEGACY_CHART_LAYER);
}

export function provenanceLayer<L extends Layer>(layers: readonly L[]): L | undefined {
  return layers.find(({ mediaType }) => mediaType === PROVENANCE_LAYER);
}

interface Layer {
  readonly mediaType: string;
}

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

export function chartConfig(metadata: ChartMetadata): Buffer {
  return Buffer.from(goJson(metadata));
}

/**
 * @param packedAt takes the place of the archive's modification time, which an upload does not say; `helm package` writes
 * both in the same second
 */
export function chartManifest(
  metadata: ChartMetadata,
  parts: { readonly config: Buffer; readonly chart: Blob; readonly provenance: Blob | undefined },
  packedAt: Date | undefined,
): Buffer {
  const { config, chart, provenance } = parts;
  const layers = [{ mediaType: CHART_LAYER, digest: chart.digest, size: chart.size }];
  if (provenance) layers.push({ mediaType: PROVENANCE_LAYER, digest: provenance.digest, size: provenance.size });
  layers.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return Buffer.from(
    goJson({
      schemaVersion: 2,
      config: { mediaType: CHART_CONFIG, digest: digestOf('sha256', config), size: config.length },
      layers,
      annotations: sorted(annotations(metadata, packedAt)),
    }),
  );
}

/** The manifest as it was, with the provenance file as a layer; another one makes way for it. */
export function withProvenance(payload: Buffer, provenance: Blob): Buffer {
  const manifest = JSON.parse(payload.toString('utf8')) as { layers: { mediaType: string; digest: string }[] };
  const others = manifest.layers.filter(({ mediaType }) => mediaType !== PROVENANCE_LAYER);
  const layer = { mediaType: PROVENANCE_LAYER, digest: provenance.digest, size: provenance.size };
  const layers = [...others, layer].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return Buffer.from(goJson({ ...manifest, layers }));
}

function annotations(metadata: ChartMetadata, packedAt: Date | undefined): Record<string, string> {
  const own = metadata.annotations ?? {};
  const made = {
    description: metadata.description,
    title: metadata.name,
    version: metadata.version,
    url: metadata.home,
    created: packedAt && `${packedAt.toISOString().slice(0, 19)}Z`,
    source: metadata.sources?.[0],
    authors: metadata.maintainers
      ?.map(({ name = '', email }) => name + (email === undefined ? '' : ` (${email})`))
      .join(', '),
  };
  const entries = Object.entries(made)
    .filter(([, value]) => value !== undefined && value.trim() !== '')
    .map(([key, value]) => [`org.opencontainers.image.${key}`, value as string] as const);
  const fixed = new Set(['org.opencontainers.image.version', 'org.opencontainers.image.title']);
  return Object.fromEntries([...entries, ...Object.entries(own).filter(([key]) => !fixed.has(key))]);
}
