/** The one way to change a version: its tag locked, its rows there, and nothing in the way of a change. */
import type { Transaction } from '../../db/database.ts';
import { digestFromBytes, digestToBytes } from '../../blobs/digest.ts';
import { filesOf, weightOf, type FileList } from './manifest.ts';
import { FileRefusal } from './refusal.ts';
import { described, immutableBy } from '../immutability.ts';
import { named, type Kind } from '../kinds.ts';
import {
  insertVersion,
  isReferredTo,
  lockLinkedBlobs,
  selectVersion,
  writeEntries,
  type VersionRow,
} from '../queries/files.ts';
import { selectManifest } from '../queries/manifests.ts';
import { lockTag, type TagRow } from '../queries/tags.ts';
import { Refusal } from '../refusal.ts';

export interface LockedVersion {
  readonly tag: TagRow;
  readonly version: VersionRow;
}

/**
 * The version under its tag's lock, or undefined when there is no such tag. Rows of a version that was pushed as a manifest
 * are made here, at its first change.
 * @throws {Refusal} TAG_KIND when the tag is an image, a chart, or anything else that is not files
 */
export async function lockVersion(
  tx: Transaction,
  repositoryId: number,
  name: string,
  actorId: number | null,
): Promise<LockedVersion | undefined> {
  const tag = await lockTag(tx, repositoryId, name);
  if (!tag) return undefined;
  refuseOtherKind(tag, 'it cannot become a version of files. Choose another version');
  const version = (await selectVersion(tx, repositoryId, name)) ?? (await adopt(tx, repositoryId, tag, actorId));
  return { tag, version };
}

/**
 * @param so what follows from it, after the kind that the tag is
 * @throws {Refusal} TAG_KIND
 */
export function refuseOtherKind(tag: TagRow, so: string): void {
  const kind = tag.kind as Kind;
  if (kind === 'file') return;
  throw new Refusal('TAG_KIND', `The tag ${tag.name} is ${named(kind)}; ${so}`, { tag: tag.name, kind });
}

/** @throws {FileRefusal} VERSION_FINAL, VERSION_REFERRED */
export async function refuseUnlessOpen(
  tx: Transaction,
  repositoryId: number,
  { tag, version }: LockedVersion,
): Promise<void> {
  if (version.final) {
    throw new FileRefusal(
      'VERSION_FINAL',
      `Version ${tag.name} is final; nothing in it changes. Choose another version`,
    );
  }
  if (tag.stale) return;
  const fallback = digestFromBytes(tag.digest).replace(':', '-');
  if (await isReferredTo(tx, repositoryId, tag.digest, fallback)) {
    throw new FileRefusal(
      'VERSION_REFERRED',
      `Version ${tag.name} is signed, or something else refers to it; nothing in it changes. Choose another version`,
    );
  }
}

/**
 * Under a rule a version that arrives file by file may grow until it is final; what is in it stays as it is. One that was
 * pushed as a manifest was whole from the beginning.
 * @param change whether something that is there would be another or gone
 * @throws {FileRefusal} VERSION_IMMUTABLE
 */
export async function refuseImmutable(
  tx: Transaction,
  repositoryId: number,
  { tag, version: { adopted } }: LockedVersion,
  change: 'adds' | 'replaces',
): Promise<void> {
  if (change === 'adds' && !adopted) return;
  const rule = await immutableBy(tx, repositoryId, tag.name);
  if (!rule) return;
  const what = adopted ? 'it was pushed whole and does not change' : 'what is in it stays; files may only be added';
  throw new FileRefusal(
    'VERSION_IMMUTABLE',
    `Version ${tag.name} is immutable (${described(rule)}): ${what}. Choose another version`,
  );
}

/** Rows for the layers of a manifest that came through another door. */
async function adopt(tx: Transaction, repositoryId: number, tag: TagRow, actorId: number | null): Promise<VersionRow> {
  const manifest = await selectManifest(tx, repositoryId, tag.digest);
  if (!manifest) throw new Error(`The tag ${tag.name} points at nothing`);
  const list = filesOf(manifest);
  if (!list.plain) {
    throw new FileRefusal(
      'NOT_FILES',
      `Version ${tag.name} was pushed with a subject or a config of its own, which files do not have; push it anew instead`,
    );
  }
  const id = await insertVersion(tx, {
    repositoryId,
    name: tag.name,
    properties: JSON.stringify(list.properties),
    actorId,
    adopted: true,
  });
  const { files, weight } = await adoptFiles(tx, repositoryId, tag.name, id, list, actorId);
  return { id, properties: { ...list.properties }, files, weight, updated_by: actorId, final: false, adopted: true };
}

async function adoptFiles(
  tx: Transaction,
  repositoryId: number,
  name: string,
  versionId: number,
  list: FileList,
  actorId: number | null,
): Promise<{ files: number; weight: number }> {
  const files = [...list.files.values()];
  const blobs = await lockLinkedBlobs(
    tx,
    repositoryId,
    files.map((file) => digestToBytes(file.digest)),
  );
  const ids = new Map(blobs.map((blob) => [digestFromBytes(blob.digest), blob.blob_id]));
  const blobIds = files.map((file) => {
    const id = ids.get(file.digest);
    if (id !== undefined) return id;
    throw new FileRefusal('NOT_FILES', `Version ${name} has layers that are not here; push it anew instead`);
  });
  const weight = files.reduce((sum, file) => sum + weightOf(file), 0);
  await writeEntries(tx, {
    versionId,
    repositoryId,
    name,
    paths: files.map((file) => file.path),
    blobIds,
    mediaTypes: files.map((file) => file.mediaType),
    files: files.length,
    weight,
    actorId,
    stale: false,
  });
  return { files: files.length, weight };
}
