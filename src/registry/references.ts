/** What a manifest needs, checked and bound in the manifest's own transaction (promise P5). */
import { digestToBytes } from '../blobs/digest.ts';
import type { Transaction } from '../db/database.ts';
import { isManifestType, type Descriptor, type Manifest } from './manifest.ts';
import {
  lockLiveLinks,
  insertReferences,
  lockManifests,
  selectKnownBlobs,
  type KnownBlob,
  type KnownManifest,
} from './queries/manifests.ts';
import { Refusal } from './refusal.ts';

/**
 * Binds `manifest` to its blobs and children. Links are locked and looked at, then bound: whoever deletes or collects one locks
 * it too and then looks for references, so of the two that meet, one sees the other.
 * @throws {Refusal} MANIFEST_BLOB_UNKNOWN, SIZE_INVALID
 */
export async function bindReferences(
  tx: Transaction,
  repositoryId: number,
  manifestId: number,
  manifest: Manifest,
  allowSparse: boolean,
): Promise<void> {
  const absent = await absentChildren(tx, repositoryId, manifest.children);
  const absentManifests = absent.filter((child) => isManifestType(child.mediaType));
  if (absentManifests.length > 0 && !allowSparse) throw unknownBlobs(absentManifests);
  const required = [...manifest.blobs, ...absent.filter((child) => !isManifestType(child.mediaType))];
  const wanted = [...required, ...manifest.foreign];
  const known = wanted.length === 0 ? [] : await selectKnownBlobs(tx, repositoryId, wanted.map(bytesOf));
  const found = new Map(known.map((blob) => [blob.name.toString('hex'), blob]));
  for (const descriptor of wanted) checkSize(descriptor, found.get(hexOf(descriptor))?.size);
  const missing = required.filter((descriptor) => !found.has(hexOf(descriptor)));
  if (missing.length > 0 && !allowSparse) throw unknownBlobs(missing);
  const blobIds = [...new Set(known.map((blob: KnownBlob) => blob.blob_id))].sort((a, b) => a - b);
  if (wanted.length + manifest.children.length === 0) return;
  if (blobIds.length > 0 && (await lockLiveLinks(tx, repositoryId, blobIds)) !== blobIds.length) {
    throw new Refusal('MANIFEST_BLOB_UNKNOWN', 'A blob of this manifest was deleted just now; push it again');
  }
  await insertReferences(tx, repositoryId, manifestId, {
    blobIds,
    missing: missing.map(bytesOf),
    children: manifest.children.map(bytesOf),
  });
}

/** Entries of an index that are no manifests here: missing ones, or blobs (BuildKit's cache indexes). */
async function absentChildren(
  tx: Transaction,
  repositoryId: number,
  children: readonly Descriptor[],
): Promise<Descriptor[]> {
  if (children.length === 0) return [];
  const manifests = await lockManifests(tx, repositoryId, children.map(bytesOf));
  const found = new Map(manifests.map((row: KnownManifest) => [row.digest.toString('hex'), row]));
  for (const child of children) checkSize(child, found.get(hexOf(child))?.size);
  return children.filter((child) => !found.has(hexOf(child)));
}

function checkSize(descriptor: Descriptor, size: number | undefined): void {
  if (size !== undefined && size !== descriptor.size) {
    throw new Refusal(
      'SIZE_INVALID',
      `${descriptor.digest} has ${size} bytes, not the ${descriptor.size} that are stated`,
      {
        digest: descriptor.digest,
      },
    );
  }
}

function unknownBlobs(missing: readonly Descriptor[]): Refusal {
  const some = missing.slice(0, 20).map((descriptor) => descriptor.digest);
  return new Refusal(
    'MANIFEST_BLOB_UNKNOWN',
    `The manifest refers to ${missing.length === 1 ? 'a blob or manifest' : `${missing.length} blobs or manifests`} ` +
      'that this repository does not have; push them first',
    { digests: some },
  );
}

function bytesOf(descriptor: Descriptor): Buffer {
  return digestToBytes(descriptor.digest);
}

function hexOf(descriptor: Descriptor): string {
  return bytesOf(descriptor).toString('hex');
}
