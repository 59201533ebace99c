/** Blobs of a repository: find, read, mount, delete. */
import { projectOf } from '../auth/names.ts';
import type { Principal } from '../auth/principal.ts';
import { digestFromBytes, digestToBytes, type Digest } from '../blobs/digest.ts';
import { StoreUnavailable, type ByteRange } from '../blobs/store.ts';
import { recordEvent } from '../jobs/outbox.ts';
import { SMALL_BLOB, type BlobFacts } from './memory.ts';
import type { RepositoryPath } from './names.ts';
import {
  hideLink,
  insertMount,
  lockLink,
  renewLease,
  selectBlob,
  selectMountCandidates,
  selectUserOfBlob,
} from './queries/blobs.ts';
import { selectVersionOfBlob } from './queries/files.ts';
import { bumpRepositoryEpoch, lockSparse } from './queries/repositories.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import { linking, type Repository } from './repositories.ts';
import { targetOf, type Scene } from './scene.ts';

/** Without `from`: how many repositories are looked at before the client is asked to send the bytes. */
const MAX_CANDIDATES = 50;

/** Whether the caller may push, asked only when a lease has to be renewed. */
export type MayPush = boolean | (() => Promise<boolean>);

/**
 * The blob, or undefined. To a caller who may push the answer is a promise that the blob stays for 24 h (P4): the lease is
 * renewed when less than half of it remains.
 */
export async function findBlob(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  mayPush: MayPush,
): Promise<BlobFacts | undefined> {
  const { lease } = registry.clocks;
  let facts = registry.memory.blobs.get(repository.id, digest, repository.epoch);
  if (!facts) {
    const row = await selectBlob(registry.db, repository.id, digestToBytes(digest));
    if (!row) return undefined;
    facts = {
      blobId: row.id,
      size: row.size,
      key: row.key,
      renewAfter: performance.now() + (row.leased_for - lease / 2) * 1000,
    };
    registry.memory.blobs.set(repository.id, digest, repository.epoch, facts);
  }
  if (performance.now() > facts.renewAfter && (await isTrue(mayPush))) {
    if (!(await renewLease(registry.db, repository.id, facts.blobId, lease))) return undefined;
    facts = { ...facts, renewAfter: performance.now() + (lease / 2) * 1000 };
    registry.memory.blobs.set(repository.id, digest, repository.epoch, facts);
  }
  return facts;
}

export async function isTrue(mayPush: MayPush): Promise<boolean> {
  return typeof mayPush === 'boolean' ? mayPush : mayPush();
}

/** The blob's bytes: small ones whole, and kept in memory; larger ones as they come from the store. */
export async function readBlob(
  registry: Registry,
  blob: BlobFacts,
  range?: ByteRange,
): Promise<Buffer | AsyncIterable<Buffer>> {
  // The recorded size rules, whatever the store holds: a longer object must not spill over, a shorter one is an error.
  const whole = { start: 0, end: blob.size - 1 };
  if (blob.size > SMALL_BLOB) return registry.store.read(blob.key, range ?? whole);
  let content = registry.memory.smallBlobs.get(blob.key);
  if (!content) {
    // Of its own, not of Node's pool: a piece that is kept would keep the 64 KiB around it.
    content = Buffer.allocUnsafeSlow(blob.size);
    let filled = 0;
    for await (const chunk of registry.store.read(blob.key, whole)) {
      content.set(chunk.subarray(0, blob.size - filled), filled);
      filled += chunk.length;
    }
    if (filled !== blob.size) throw new StoreUnavailable(`${blob.key} has other bytes than recorded`);
    registry.memory.smallBlobs.set(blob.key, content);
  }
  return range ? content.subarray(range.start, range.end + 1) : content;
}

export interface MountRequest {
  readonly digest: Digest;
  /** Undefined: find one that the caller may read. */
  readonly from: RepositoryPath | undefined;
  readonly into: Repository;
  readonly intoScene: Scene;
  readonly principal: Principal;
}

/**
 * Links a blob that is here already (end-11). Whether it may is decided by the credential's own rights on the source, not
 * by what the registry token lists; and false says nothing about the source: unknown, forbidden and gone look the same.
 */
export async function mountBlob(registry: Registry, request: MountRequest): Promise<boolean> {
  const digest = digestToBytes(request.digest);
  const { from, principal } = request;
  const named = from && (await registry.scenes.resolve({ path: from, principalId: principal.id }));
  if (named && !named.repository) return false;
  const candidates = await selectMountCandidates(registry.db, digest, {
    fromId: named?.repository?.id ?? null,
    projectId: request.into.projectId,
    limit: MAX_CANDIDATES,
  });
  for (const candidate of candidates) {
    const path = candidate.path as RepositoryPath;
    const beside = projectOf(path) === request.intoScene.project?.name;
    const scene =
      named ??
      (beside ? { ...request.intoScene, path } : await registry.scenes.resolve({ path, principalId: principal.id }));
    const verdict = await registry.gate.mayMountFrom(principal, targetOf(scene));
    if (verdict.effect === 'deny') continue;
    const mount = {
      fromRepositoryId: candidate.repository_id,
      repositoryId: request.into.id,
      blobId: candidate.blob_id,
      lease: registry.clocks.lease,
    };
    if (await linking(registry, request.into, (db) => insertMount(db, mount))) return true;
  }
  return false;
}

/**
 * Hides a blob from its repository (end-10). Its bytes stay until garbage collection finds that nothing needs them.
 * @throws {Refusal} BLOB_UNKNOWN, BLOB_IN_USE while a live manifest of the repository names it
 */
export async function deleteBlob(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  principal: Principal,
  requestId: string,
): Promise<void> {
  await registry.db.transaction(async (tx) => {
    if (repository.sparse) await lockSparse(tx, repository.id);
    const link = await lockLink(tx, repository.id, digestToBytes(digest));
    if (!link) throw unknownBlob(digest);
    const user = await selectUserOfBlob(tx, repository.id, link.blob_id);
    if (user) {
      const manifest = digestFromBytes(user.digest);
      throw new Refusal('BLOB_IN_USE', `Manifest ${manifest} needs this blob; delete the manifest first`, { manifest });
    }
    const version = await selectVersionOfBlob(tx, repository.id, link.blob_id);
    if (version) {
      throw new Refusal('BLOB_IN_USE', `Version ${version.name} has this blob as a file; delete that first`);
    }
    await hideLink(tx, repository.id, link.blob_id);
    await bumpRepositoryEpoch(tx, repository.id);
    await recordEvent(tx, {
      type: 'blob.deleted',
      actorId: principal.id,
      projectId: repository.projectId,
      repositoryId: repository.id,
      requestId,
      data: { digest },
    });
  });
}

export function unknownBlob(digest: Digest): Refusal {
  return new Refusal('BLOB_UNKNOWN', 'This repository has no such blob', { digest });
}
