/** Deleting a version: the manifest with it, unless something else needs that. */
import type { Principal } from '../../auth/principal.ts';
import { deleteManifest } from '../manifests.ts';
import type { Tag } from '../names.ts';
import { selectTagsOf } from '../queries/tags.ts';
import { digestToBytes } from '../../blobs/digest.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Scene } from '../scene.ts';
import { deleteTag } from '../tags.ts';
import type { FoundVersion } from './find.ts';

/** @throws {Refusal} MANIFEST_UNKNOWN, DENIED */
export async function deleteVersion(
  registry: Registry,
  request: { scene: Scene; version: FoundVersion; tag: Tag; principal: Principal; requestId: string },
): Promise<void> {
  const { version, tag } = request;
  const { repository, manifest } = version;
  const deletion = { ...request, repository };
  const names = await selectTagsOf(registry.db, repository.id, digestToBytes(manifest));
  if (names.length > 1) return deleteTag(registry, deletion);
  try {
    await deleteManifest(registry, { ...deletion, digest: manifest });
  } catch (error) {
    // An index lists it: then the version goes, and what it was stays for the index.
    if (!(error instanceof Refusal && error.code === 'MANIFEST_IN_USE')) throw error;
    await deleteTag(registry, { ...deletion, tag });
  }
}
