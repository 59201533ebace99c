/**
 * From a version's files to the manifest that stands for them. While files arrive the tag is only marked as stale; its
 * manifest is built, under the tag's lock, when somebody asks for it: a pull by tag, a move, a delete, or finalising.
 */
import { digestFromBytes, digestOf, digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { withOrigin } from '../../jobs/origin.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { EMPTY_CONFIG, FILE_ARTIFACT, writeManifest, type File, type Properties } from './manifest.ts';
import { inTurn } from './turns.ts';
import { OCI_MANIFEST } from '../manifest.ts';
import { lockLinkedBlobs, selectEntries, selectVersion, settleTag, type EntryRow } from '../queries/files.ts';
import { insertReferences, lockLiveLinks, upsertManifest } from '../queries/manifests.ts';
import { countedAlways } from '../queries/usage.ts';
import { lockTag, recordTagMoves } from '../queries/tags.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';

/** Where a version's tag belongs. */
type Place = Pick<Repository, 'id' | 'projectId'>;

/** Where the tag points once its manifest says what the files are; undefined when the tag is gone. */
export async function settledDigest(registry: Registry, repository: Place, tag: string): Promise<Digest | undefined> {
  let digest: Digest | undefined;
  const work = () =>
    registry.db.transaction(async (tx) => {
      const row = await lockTag(tx, repository.id, tag);
      digest = row && digestFromBytes(row.stale ? await settle(tx, repository, tag, row.digest) : row.digest);
    });
  // What is recorded is what the person did who changed the files last, not who happens to read them.
  await inTurn(repository.id, tag, () => withOrigin(() => ({}), work));
  return digest;
}

/** Builds what a stale tag stands for and moves the tag there; the caller holds its lock. */
export async function settle(tx: Transaction, repository: Place, tag: string, before: Buffer): Promise<Buffer> {
  const version = await selectVersion(tx, repository.id, tag);
  if (!version) throw new Error(`The tag ${tag} is stale and has no version`);
  const rows = await selectEntries(tx, repository.id, tag);
  // The files were let in; that the manifest for them comes later must not make a pull or a delete fail.
  const built = await countedAlways(tx, () =>
    insertBuilt(tx, repository, rows, version.properties, version.updated_by),
  );
  await settleTag(tx, { repositoryId: repository.id, name: tag, manifestId: built.id });
  if (!built.digest.equals(before)) await recordBuilt(tx, repository, tag, before, built.digest, version.updated_by);
  return built.digest;
}

/** The manifest's row and references, for files whose links the caller's transaction keeps. */
export async function insertBuilt(
  tx: Transaction,
  repository: Place,
  rows: readonly EntryRow[],
  properties: Properties,
  actorId: number | null,
): Promise<{ id: number; digest: Buffer }> {
  const payload = writeManifest(rows.map(toFile), properties);
  const digest = digestToBytes(digestOf('sha256', payload));
  const config = digestToBytes(EMPTY_CONFIG.digest);
  const [empty] = await lockLinkedBlobs(tx, repository.id, [config]);
  if (!empty) throw new Refusal('MANIFEST_BLOB_UNKNOWN', 'The empty config was deleted just now; try again');
  const { id } = await upsertManifest(tx, {
    repositoryId: repository.id,
    digest,
    mediaType: OCI_MANIFEST,
    kind: 'file',
    artifactType: FILE_ARTIFACT,
    size: payload.length,
    configDigest: config,
    subjectDigest: null,
    annotations: null,
    pushedBy: actorId,
    payload,
    // Nobody was told of it yet: its tag keeps it, and whoever pulls it has the lease begin.
    lease: 0,
  });
  const blobIds = [...new Set([...rows.map((row) => row.blob_id), empty.blob_id])].sort((a, b) => a - b);
  if ((await lockLiveLinks(tx, repository.id, blobIds)) !== blobIds.length) {
    throw new Refusal('MANIFEST_BLOB_UNKNOWN', 'A file of this version was deleted just now; try again');
  }
  await insertReferences(tx, repository.id, id, { blobIds, missing: [], children: [] });
  return { id, digest };
}

/** The tag's move in its history, and the event of the manifest that it moved to. */
export async function recordBuilt(
  tx: Transaction,
  repository: Place,
  tag: string,
  before: Buffer | null,
  after: Buffer,
  actorId: number | null,
): Promise<void> {
  await recordTagMoves(tx, { repositoryId: repository.id, actorId, names: [tag], before: [before], after });
  await recordEvent(tx, {
    type: 'manifest.pushed',
    actorId: actorId ?? 0,
    projectId: repository.projectId,
    repositoryId: repository.id,
    data: {
      digest: digestFromBytes(after),
      mediaType: OCI_MANIFEST,
      kind: 'file',
      tags: [tag],
      before: { [tag]: before && digestFromBytes(before) },
    },
  });
}

export function toFile(row: EntryRow): File {
  return { path: row.path, digest: digestFromBytes(row.digest), size: row.size, mediaType: row.media_type };
}
