/** A chart that comes as an archive becomes what helm would have pushed: config, layers, manifest, tag. */
import type { Principal } from '../../auth/principal.ts';
import { digestOf, digestToBytes } from '../../blobs/digest.ts';
import { findBlob } from '../blobs.ts';
import { OCI_MANIFEST } from '../manifest.ts';
import { putManifest } from '../manifests.ts';
import type { RepositoryPath, Tag } from '../names.ts';
import { isReferredTo } from '../queries/charts.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import { ensureRepository } from '../repositories.ts';
import { targetOf, type Scene } from '../scene.ts';
import { storeBlob } from '../uploads.ts';
import { versionBehind, type VersionBehindTag } from './find.ts';
import { chartConfig, chartManifest } from './manifest.ts';
import { repositoryOfChart, tagOfVersion, type Namespace } from './names.ts';
import { checkProvenance, readProvenance } from './provenance.ts';
import { readChart } from './read.ts';
import { keepChart } from './extract.ts';
import { readWhole } from './recording.ts';

export interface PutChart {
  readonly namespace: Namespace;
  readonly principal: Principal;
  readonly requestId: string;
  readonly chart: Buffer;
  readonly provenance: Buffer | undefined;
  /** Replaces a version of other bytes, if the caller may. */
  readonly force: boolean;
}

export interface StoredChart {
  readonly path: RepositoryPath;
  readonly tag: Tag;
  readonly version: string;
}

/**
 * Stores a chart under the name and version that it says itself. The same bytes again change nothing.
 * @throws {ChartRefused} with helm's reason
 * @throws {Refusal} DENIED, NAME_INVALID, TAG_INVALID, CHART_EXISTS, TAG_KIND
 */
export async function putChart(registry: Registry, put: PutChart): Promise<StoredChart> {
  const digest = digestOf('sha256', put.chart);
  const chart = await readChart(put.chart);
  const { name, version } = chart.metadata;
  const path = repositoryOfChart(put.namespace, name);
  const tag = tagOfVersion(version);
  if (put.provenance) await checkProvenance(put.provenance, chart.metadata, digest);
  const scene = await authorised(registry, put.principal, path, tag);
  const before = await versionBehind(registry, scene);
  if (before && before.chart?.digest !== digest && !put.force) {
    throw new Refusal('CHART_EXISTS', `${name}-${version}.tgz already exists with other bytes`);
  }
  const stored = { path, tag, version };
  if (before?.chart?.digest === digest) {
    if (!put.provenance || before.provenance?.digest === digestOf('sha256', put.provenance)) return stored;
    if (!put.force) await mustBeUnsigned(registry, before);
  }
  await keepChart(registry.db, digest, chart);
  const { principal, requestId } = put;
  const repository = await ensureRepository(registry, scene, path, principal, requestId);
  const blob = (bytes: Buffer) =>
    storeBlob(registry, { repository, principal, requestId, body: pieces(bytes), length: bytes.length });
  const config = chartConfig(chart.metadata);
  const parts = {
    config,
    chart: await blob(put.chart),
    provenance: put.provenance && (await blob(put.provenance)),
  };
  await blob(config);
  await putManifest(registry, {
    scene,
    repository,
    principal,
    requestId,
    bytes: chartManifest(chart.metadata, parts, chart.packedAt),
    contentType: OCI_MANIFEST,
    digest: undefined,
    tags: [tag],
    allowSparse: false,
    replaces: before?.manifest ?? null,
  });
  return stored;
}

export interface PutProvenance {
  readonly namespace: Namespace;
  readonly principal: Principal;
  readonly requestId: string;
  readonly provenance: Buffer;
  readonly force: boolean;
}

/**
 * Adds a provenance file to a version that is here without one. What a tag names is immutable, so a new manifest with both
 * takes the old one's place; a version that somebody signed by the old one's digest is left as it is.
 * @throws {ChartRefused} when it belongs to other bytes
 * @throws {Refusal} MANIFEST_UNKNOWN, CHART_EXISTS, DENIED
 */
export async function putProvenance(registry: Registry, put: PutProvenance): Promise<StoredChart> {
  const { name, version } = await readProvenance(put.provenance);
  const path = repositoryOfChart(put.namespace, name);
  const tag = tagOfVersion(version);
  const scene = await authorised(registry, put.principal, path, tag);
  const before = await versionBehind(registry, scene);
  if (!before?.chart)
    throw new Refusal('MANIFEST_UNKNOWN', `There is no ${name}-${version}.tgz; upload the chart first`);
  const blob = await findBlob(registry, before.repository, before.chart.digest, false);
  if (!blob) throw new Refusal('MANIFEST_UNKNOWN', `There is no ${name}-${version}.tgz; upload the chart first`);
  if (before.provenance && before.provenance.digest !== digestOf('sha256', put.provenance) && !put.force) {
    throw new Refusal('CHART_EXISTS', `${name}-${version}.tgz.prov already exists with other bytes`);
  }
  return putChart(registry, { ...put, chart: await readWhole(registry, blob) });
}

/** The facts of the repository, once the gate has consented to a push there. */
async function authorised(registry: Registry, principal: Principal, path: RepositoryPath, tag: Tag): Promise<Scene> {
  const scene = await registry.scenes.resolve({ path, principalId: principal.id, tag });
  const verdict = await registry.gate.decide(principal, 'push', targetOf(scene));
  if (verdict.effect === 'deny')
    throw new Refusal('DENIED', `You may not push to ${path}; ask an owner of the project`);
  return scene;
}

async function mustBeUnsigned(registry: Registry, { repository, manifest }: VersionBehindTag): Promise<void> {
  if (!(await isReferredTo(registry.db, repository.id, digestToBytes(manifest)))) return;
  throw new Refusal(
    'CHART_EXISTS',
    `This version is signed as ${manifest}; with a provenance file it would be another manifest, and the signature lost`,
  );
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
