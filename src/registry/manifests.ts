/** Manifests of a repository: put, get, delete. `putManifest` holds the transaction that makes a push visible. */
import type { Principal } from '../auth/principal.ts';
import { digestFromBytes, digestOf, digestToBytes, type Digest } from '../blobs/digest.ts';
import type { Transaction } from '../db/database.ts';
import { recordEvent } from '../jobs/outbox.ts';
import { isTrue, type MayPush } from './blobs.ts';
import { settle } from './files/build.ts';
import { refuseHeld } from './holds.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import type { ManifestFacts } from './memory.ts';
import type { Tag } from './names.ts';
import {
  hideManifests,
  lockManifestForDelete,
  renewManifestLease,
  selectManifest,
  selectParent,
  upsertManifest,
  type NewManifest,
} from './queries/manifests.ts';
import { bumpRepositoryEpoch, lockSparse } from './queries/repositories.ts';
import { lockTagsOf, recordTagMoves, removeTags, selectTagsOf } from './queries/tags.ts';
import { prepareRecorder } from './recorders.ts';
import { bindReferences } from './references.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repositories.ts';
import type { Scene } from './scene.ts';
import { decideTags, putTag } from './tags.ts';

export interface PutManifest {
  readonly scene: Scene;
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
  /** The digest in the URL, when the client named one. */
  readonly digest: Digest | undefined;
  readonly tags: readonly Tag[];
  readonly allowSparse: boolean;
  /** What the tags have to point at before, null for nothing; undefined: whatever they do. */
  readonly replaces?: Digest | null;
}

export interface PutResult {
  readonly digest: Digest;
  readonly subject: Digest | undefined;
}

/**
 * Stores a manifest byte for byte and moves the tags (end-7). One transaction: references, manifest, tags, history, event.
 * @throws {Refusal} MANIFEST_INVALID, DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN, SIZE_INVALID, TAG_KIND, TAG_MOVED, DENIED
 */
export async function putManifest(registry: Registry, put: PutManifest): Promise<PutResult> {
  const { repository, principal } = put;
  const { lease } = registry.clocks;
  const manifest = parseManifest(put.bytes, put.contentType);
  const digest = checkedDigest(put);
  const mayMove = await decideTags(registry, put.scene, principal, put.tags, 'put');
  const record = await prepareRecorder(registry, repository, manifest);
  const actorId = principal.id || null;
  await registry.db.transaction(async (tx) => {
    if (put.allowSparse) await lockSparse(tx, repository.id);
    const { id, media_type: before } = await upsertManifest(tx, rowOf(put, manifest, digest, lease));
    if (before !== manifest.mediaType) {
      throw new Refusal('MANIFEST_INVALID', `These bytes are here as ${before}; one digest cannot be two types`);
    }
    await bindReferences(tx, repository.id, id, manifest, put.allowSparse);
    const moved: Record<string, Digest | null> = {};
    for (const tag of [...put.tags].sort()) {
      const from = await putTag(tx, {
        repository,
        tag,
        manifestId: id,
        digest,
        kind: manifest.kind,
        actorId,
        mayMove,
        ...(put.replaces !== undefined && { replaces: put.replaces }),
      });
      if (from !== undefined) moved[tag] = from;
      await record?.(tx, id, tag);
    }
    await recordEvent(tx, {
      type: 'manifest.pushed',
      actorId: principal.id,
      projectId: repository.projectId,
      repositoryId: repository.id,
      requestId: put.requestId,
      data: { digest, mediaType: manifest.mediaType, kind: manifest.kind, tags: put.tags, before: moved },
    });
  });
  return { digest, subject: manifest.subject?.digest };
}

function checkedDigest(put: PutManifest): Digest {
  const actual = digestOf(put.digest?.startsWith('sha512:') ? 'sha512' : 'sha256', put.bytes);
  if (put.digest && put.digest !== actual) {
    throw new Refusal('DIGEST_INVALID', 'The digest in the URL is not that of the bytes in the body', {
      digest: put.digest,
      received: actual,
    });
  }
  return actual;
}

function rowOf(put: PutManifest, manifest: Manifest, digest: Digest, lease: number): NewManifest {
  return {
    repositoryId: put.repository.id,
    digest: digestToBytes(digest),
    mediaType: manifest.mediaType,
    kind: manifest.kind,
    artifactType: manifest.artifactType ?? null,
    size: put.bytes.length,
    configDigest: manifest.config ? digestToBytes(manifest.config.digest) : null,
    subjectDigest: manifest.subject ? digestToBytes(manifest.subject.digest) : null,
    annotations: manifest.subject && manifest.annotations ? JSON.stringify(manifest.annotations) : null,
    pushedBy: put.principal.id || null,
    payload: put.bytes,
    lease,
  };
}

/**
 * The manifest as it was pushed, or undefined. To a caller who may push the answer is a promise that it stays for 24 h, as for
 * blobs: no rule of retention takes it away meanwhile.
 */
export async function findManifest(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  mayPush: MayPush = false,
): Promise<ManifestFacts | undefined> {
  const { lease } = registry.clocks;
  let facts = registry.memory.manifests.get(repository.id, digest, repository.epoch);
  if (!facts) {
    const row = await selectManifest(registry.db, repository.id, digestToBytes(digest));
    if (!row) return undefined;
    // Of its own, not of Node's pool: a piece that is kept would keep the 64 KiB around it.
    const payload = Buffer.allocUnsafeSlow(row.payload.length);
    payload.set(row.payload);
    const renewAfter = performance.now() + (row.leased_for - lease / 2) * 1000;
    facts = { id: row.id, digest, mediaType: row.media_type, payload, lease: { renewAfter } };
    registry.memory.manifests.set(repository.id, digest, repository.epoch, facts);
  }
  if (performance.now() > facts.lease.renewAfter && (await isTrue(mayPush))) {
    if (!(await renewManifestLease(registry.db, facts.id, lease))) return undefined;
    facts.lease.renewAfter = performance.now() + (lease / 2) * 1000;
  }
  return facts;
}

export interface DeleteManifest {
  readonly scene: Scene;
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
  readonly digest: Digest;
}

/**
 * Hides a manifest and takes its tags away (end-9). It needs the right on each of those tags.
 * @throws {Refusal} MANIFEST_UNKNOWN, MANIFEST_HELD, MANIFEST_IN_USE while a live index lists it, DENIED
 */
export async function deleteManifest(registry: Registry, request: DeleteManifest): Promise<void> {
  const digest = digestToBytes(request.digest);
  for (let attempt = 1; ; attempt++) {
    const tags = (await selectTagsOf(registry.db, request.repository.id, digest)).map((row) => row.name as Tag);
    const may = await decideTags(registry, request.scene, request.principal, tags, 'delete');
    for (const tag of tags) may.delete(tag);
    if (await registry.db.transaction((tx) => hide(tx, request, digest, new Set(tags)))) return;
    if (attempt === 5) throw new Refusal('UNSUPPORTED', 'Tags of this manifest keep moving; try again');
  }
}

/** False when the manifest has a tag by now whose right was not decided. */
async function hide(
  tx: Transaction,
  { repository, principal, requestId, digest: text }: DeleteManifest,
  digest: Buffer,
  decided: ReadonlySet<string>,
): Promise<boolean> {
  if (repository.sparse) await lockSparse(tx, repository.id);
  const row = await lockManifestForDelete(tx, repository.id, digest);
  if (!row) throw unknownManifest(text);
  await refuseHeld(tx, row.id, text);
  const parent = await selectParent(tx, repository.id, digest);
  if (parent) {
    const index = digestFromBytes(parent.digest);
    throw new Refusal('MANIFEST_IN_USE', `Index ${index} lists this manifest; delete the index first`, { index });
  }
  const names = await tagsThatGo(tx, repository, row.id, digest);
  if (names.some((name) => !decided.has(name))) return false;
  await removeTags(tx, repository.id, names);
  await recordTagMoves(tx, {
    repositoryId: repository.id,
    actorId: principal.id || null,
    names,
    before: names.map(() => digest),
    after: null,
  });
  const deletion = { reason: 'request', runId: null, actorId: principal.id || null } as const;
  await hideManifests(tx, repository.id, [{ id: row.id, tags: names }], deletion);
  await bumpRepositoryEpoch(tx, repository.id);
  await recordEvent(tx, {
    type: 'manifest.deleted',
    actorId: principal.id,
    projectId: repository.projectId,
    repositoryId: repository.id,
    requestId,
    data: { digest: text, tags: names },
  });
  return true;
}

/** The manifest's tags, locked. One whose files have changed since is not its tag any more, and moves to what it stands for. */
async function tagsThatGo(
  tx: Transaction,
  repository: Repository,
  manifestId: number,
  digest: Buffer,
): Promise<string[]> {
  const names: string[] = [];
  for (const { name, stale } of await lockTagsOf(tx, repository.id, manifestId)) {
    if (!stale || (await settle(tx, repository, name, digest)).equals(digest)) names.push(name);
  }
  return names;
}

export function unknownManifest(reference: string): Refusal {
  return new Refusal('MANIFEST_UNKNOWN', 'This repository has no such manifest or tag', { reference });
}
