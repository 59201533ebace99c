/** A version of a chart, from its tag to its bytes. */
import type { Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import { findBlob } from '../blobs.ts';
import { parseManifest, type Descriptor } from '../manifest.ts';
import { findManifest } from '../manifests.ts';
import type { BlobFacts } from '../memory.ts';
import type { RepositoryPath } from '../names.ts';
import { selectChartFile } from '../queries/charts.ts';
import type { Registry } from '../registry.ts';
import { repositoryOf, type Repository } from '../repositories.ts';
import type { Scene } from '../scene.ts';
import { chartLayer, provenanceLayer } from './manifest.ts';
import type { Namespace } from './names.ts';

export interface VersionBehindTag {
  readonly repository: Repository;
  readonly manifest: Digest;
  readonly payload: Buffer;
  readonly mediaType: string;
  /** Undefined when the manifest is no chart's. */
  readonly chart: Descriptor | undefined;
  readonly provenance: Descriptor | undefined;
}

export type FoundVersion = VersionBehindTag & { readonly chart: Descriptor };

/** What the scene's tag points at, if that is a chart. */
export async function findVersion(registry: Registry, scene: Scene): Promise<FoundVersion | undefined> {
  const found = await versionBehind(registry, scene);
  return found?.chart && { ...found, chart: found.chart };
}

/** What the scene's tag points at, whatever it is. */
export async function versionBehind(registry: Registry, scene: Scene): Promise<VersionBehindTag | undefined> {
  const repository = repositoryOf(scene, scene.path as RepositoryPath);
  const facts = repository && scene.tagDigest && (await findManifest(registry, repository, scene.tagDigest));
  if (!facts) return undefined;
  const { kind, blobs } = parseManifest(facts.payload, facts.mediaType);
  return {
    repository,
    manifest: facts.digest,
    payload: facts.payload,
    mediaType: facts.mediaType,
    chart: kind === 'chart' ? chartLayer(blobs) : undefined,
    provenance: provenanceLayer(blobs),
  };
}

export function blobOf(registry: Registry, version: FoundVersion, what: Descriptor): Promise<BlobFacts | undefined> {
  return findBlob(registry, version.repository, what.digest, false);
}

/** Which chart and version a file of the classic door is. */
export function findChartFile(
  db: Queryable,
  projectId: number,
  namespace: Namespace,
  file: string,
): Promise<{ readonly name: string; readonly tag: string } | undefined> {
  return selectChartFile(db, projectId, namespace, file);
}
