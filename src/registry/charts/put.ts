/** A chart that comes as an archive becomes what helm would have pushed: config, layers, manifest, tag. */
import type { Principal } from '../../auth/principal.ts';
import { digestOf, digestToBytes } from '../../blobs/digest.ts';
import { noteDecision } from '../../jobs/origin.ts';
import { OCI_MANIFEST } from '../manifest.ts';
import { putManifest } from '../manifests.ts';
import type { RepositoryPath, Tag } from '../names.ts';
import { isReferredTo } from '../queries/charts.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import { ensureRepository, movedRefusal, type Repository } from '../repositories.ts';
import { targetOf, type Scene } from '../scene.ts';
import { storeBlob, type StoredBlob } from '../uploads.ts';
import { versionBehind, type VersionBehindTag } from './find.ts';
import { chartConfig, chartManifest, withProvenance } from './manifest.ts';
import { repositoryOfChart, tagOfVersion, type Namespace } from './names.ts';
import { checkBelongs, readProvenance } from './provenance.ts';
import { readChart } from './read.ts';
import { keepChart } from './extract.ts';

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
  readonly repository: Repository;
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
  if (put.provenance) checkBelongs(await readProvenance(put.provenance), chart.metadata, digest);
  const scene = await authorised(registry, put.principal, path, tag);
  const before = await versionBehind(registry, scene);
  if (before && before.chart?.digest !== digest && !put.force) {
    throw new Refusal('CHART_EXISTS', `${name}-${version}.tgz already exists with other bytes`);
  }
  const request = { ...put, scene, path, tag };
  if (before?.chart?.digest === digest) {
    if (put.provenance) await addProvenance(registry, { ...request, before, provenance: put.provenance });
    return { path, tag, version, repository: before.repository };
  }
  await keepChart(registry.db, digest, chart);
  const repository = await ensureRepository(registry, scene, path, put.principal, put.requestId);
  const config = chartConfig(chart.metadata);
  const parts = {
    config,
    chart: await store(registry, repository, put, put.chart),
    provenance: put.provenance && (await store(registry, repository, put, put.provenance)),
  };
  await store(registry, repository, put, config);
  const bytes = chartManifest(chart.metadata, parts, chart.packedAt);
  await replace(registry, { ...request, repository, bytes, contentType: OCI_MANIFEST, before });
  return { path, tag, version, repository };
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
  const provenance = await readProvenance(put.provenance);
  const { name, version } = provenance;
  const path = repositoryOfChart(put.namespace, name);
  const tag = tagOfVersion(version);
  const scene = await authorised(registry, put.principal, path, tag);
  const before = await versionBehind(registry, scene);
  const { chart } = before ?? {};
  if (!before || !chart) {
    throw new Refusal('MANIFEST_UNKNOWN', `There is no ${name}-${version}.tgz; upload the chart first`);
  }
  checkBelongs(provenance, { name, version }, chart.digest);
  await addProvenance(registry, { ...put, scene, path, tag, before });
  return { path, tag, version, repository: before.repository };
}

interface Change {
  readonly scene: Scene;
  readonly path: RepositoryPath;
  readonly tag: Tag;
  readonly principal: Principal;
  readonly requestId: string;
  readonly force: boolean;
}

async function addProvenance(
  registry: Registry,
  change: Change & { readonly before: VersionBehindTag; readonly provenance: Buffer },
): Promise<void> {
  const { before, provenance, force } = change;
  const { repository } = before;
  if (before.provenance?.digest === digestOf('sha256', provenance)) return;
  if (before.provenance && !force) {
    throw new Refusal('CHART_EXISTS', 'The version already has a provenance file with other bytes');
  }
  if (!force) await mustBeUnsigned(registry, before);
  const blob = await store(registry, repository, change, provenance);
  const bytes = withProvenance(before.payload, blob);
  await replace(registry, { ...change, repository, bytes, contentType: before.mediaType });
}

async function replace(
  registry: Registry,
  change: Change & {
    readonly repository: Repository;
    readonly bytes: Buffer;
    readonly contentType: string;
    readonly before: VersionBehindTag | undefined;
  },
): Promise<void> {
  const { scene, repository, principal, requestId, bytes, contentType, tag, before } = change;
  const replaces = before?.manifest ?? null;
  const rest = { digest: undefined, tags: [tag], allowSparse: false, replaces };
  await putManifest(registry, { scene, repository, principal, requestId, bytes, contentType, ...rest });
}

function store(
  registry: Registry,
  repository: Repository,
  { principal, requestId }: Pick<Change, 'principal' | 'requestId'>,
  bytes: Buffer,
): Promise<StoredBlob> {
  return storeBlob(registry, { repository, principal, requestId, body: bytes });
}

/** The facts of the repository, once the gate has consented to a push there. */
async function authorised(registry: Registry, principal: Principal, path: RepositoryPath, tag: Tag): Promise<Scene> {
  const scene = await registry.scenes.resolve({ path, principalId: principal.id, tag });
  const verdict = await registry.gate.decide(principal, 'push', targetOf(scene));
  noteDecision(verdict.effect === 'deny' ? 'deny' : 'allow', verdict.reason);
  if (verdict.moved) throw movedRefusal(scene);
  if (verdict.effect === 'deny') {
    throw new Refusal('DENIED', `You may not push to ${path}; ask an owner of the project`);
  }
  return scene;
}

async function mustBeUnsigned(registry: Registry, { repository, manifest }: VersionBehindTag): Promise<void> {
  if (!(await isReferredTo(registry.db, repository.id, digestToBytes(manifest)))) return;
  throw new Refusal(
    'CHART_EXISTS',
    `This version is signed as ${manifest}; with a provenance file it would be another manifest, and the signature lost`,
  );
}
