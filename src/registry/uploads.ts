/**
 * Uploads: the blob half of a push (distribution-spec, "Pushing blobs"). An upload is a row that names an object; appends
 * are serialised by a claim on the row; bytes are durable before the row says so, and the row says so before the client
 * is told.
 */
import { randomUUID } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import type { Principal } from '../auth/principal.ts';
import { algorithmOf, digestFromBytes, digestOf, digestToBytes, type Algorithm, type Digest } from '../blobs/digest.ts';
import { ingest, startHashes, TooManyBytes, type Hashes, type Ingested } from '../blobs/ingest.ts';
import { newKey } from '../blobs/keys.ts';
import type { ObjectWriter, UnfinishedObject } from '../blobs/store.ts';
import { counted } from '../cache/counted.ts';
import { settledUpload, withClaim, type Claim } from './claims.ts';
import {
  commitBlob,
  deleteUpload,
  insertUpload,
  releaseUpload,
  selectUpload,
  type ClaimedRow,
} from './queries/uploads.ts';
import { openRoom } from './quota/reserve.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import { linking, type Repository } from './repositories.ts';
import { busyUpload, lostUpload, unknownUpload } from './upload-refusals.ts';

const PIECE = 64 * 1024;

/** Hashes of uploads that were appended to by this worker, so that the next chunk goes on where the last one ended. */
export type LiveHashes = LRUCache<string, Hashes>;

export function createLiveHashes(): LiveHashes {
  return counted(1_000);
}

export interface UploadAddress {
  readonly id: string;
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
}

/** What a request brings: bytes, how many were declared, and where they claim to belong. */
export interface Chunk {
  readonly body: AsyncIterable<Buffer>;
  readonly length: number | undefined;
  readonly range: { readonly start: number; readonly end: number } | undefined;
  /**
   * Whether what came before this failure of the body is kept, so that the sender can go on. Absent: a PATCH without a range
   * keeps it, everything else is all or nothing.
   */
  readonly keeps?: (failure: Error) => boolean;
}

export interface StoredBlob {
  /** As it was asked for, or sha256. */
  readonly digest: Digest;
  readonly size: number;
}

export async function startUpload(
  registry: Registry,
  repository: Repository,
  principal: Principal,
  algorithm: Algorithm,
): Promise<string> {
  const id = randomUUID();
  await insertUpload(registry.db, {
    id,
    repositoryId: repository.id,
    principalId: principal.id,
    store: registry.store.kind,
    key: newKey(),
    algorithm,
  });
  return id;
}

/** Bytes received so far. @throws {Refusal} UPLOAD_UNKNOWN */
export async function uploadSize(registry: Registry, address: UploadAddress): Promise<number> {
  return (await settledUpload(registry, rowAddress(address))).size;
}

/**
 * Appends a chunk (end-5) and returns the number of bytes that are now durable. A body that is cut keeps what came.
 * @throws {Refusal} UPLOAD_UNKNOWN, UPLOAD_BUSY, UPLOAD_RANGE, BLOB_TOO_LARGE, SIZE_INVALID, QUOTA_EXCEEDED
 */
export function appendToUpload(registry: Registry, address: UploadAddress, chunk: Chunk): Promise<number> {
  return withClaim(registry, rowAddress(address), async (row, claim) => {
    checkRange(chunk, row.size);
    await using writer = await registry.store.write(objectOf(row), chunk.length);
    const hashes = takeHashes(registry, row);
    const { bytes, failure } = await receive(registry, { address, row, claim, chunk, writer, hashes });
    // A chunk that broke its own Content-Range is not kept: the client would not know what of it was.
    if (chunk.range && failure === undefined) checkLength(chunk, bytes);
    if (chunk.range && failure !== undefined && !chunk.keeps?.(failure)) throw failure;
    const object = await suspend(registry, row, claim, writer, hashes);
    if (failure !== undefined) throw failure;
    return object.size;
  });
}

/**
 * Ends an upload (end-6): takes a last chunk if there is one, verifies the digest, completes the object, and commits. On
 * a wrong digest or range the upload stays as it was before this call.
 * @param digest what the bytes have to be; undefined when the sender did not say, and sha256 names them
 * @throws {Refusal} DIGEST_INVALID besides those of appendToUpload
 */
export function finishUpload(
  registry: Registry,
  address: UploadAddress,
  digest: Digest | undefined,
  chunk: Chunk | undefined,
): Promise<StoredBlob> {
  return withClaim(registry, rowAddress(address), async (row, claim) => {
    if (chunk) checkRange(chunk, row.size);
    const digests = new Map<Algorithm, Buffer>();
    let size = row.size;
    await using writer = await registry.store.write(objectOf(row), chunk ? chunk.length : 0);
    if (chunk) {
      const hashes = takeHashes(registry, row);
      const { bytes, failure } = await receive(registry, { address, row, claim, chunk, writer, hashes, digest });
      if (failure !== undefined) {
        if (chunk.keeps?.(failure)) await suspend(registry, row, claim, writer, hashes);
        throw failure;
      }
      checkLength(chunk, bytes);
      size += bytes;
      if (bytes === 0) {
        rememberedDigests(row, digests);
      } else if (hashes) {
        digests.set('sha256', digestSoFar(hashes, 'sha256'));
        if (hashes.sha512) digests.set('sha512', digestSoFar(hashes, 'sha512'));
      }
    } else {
      rememberedDigests(row, digests);
    }
    // Refused before the object is complete whenever the digest is known, so that the upload can go on.
    if (digest) verify(digest, digests.get(algorithmOf(digest)));
    claim.check();
    const leftovers = await writer.finish();
    await readMissing(registry, row, digest, digests);
    const stored = digestFromBytes(digests.get('sha256') as Buffer);
    try {
      if (digest) verify(digest, digests.get(algorithmOf(digest)));
    } catch (refusal) {
      await deleteUpload(registry.db, rowAddress(address), claim.token, 'wrong digest');
      claim.released = true;
      throw refusal;
    }
    const commit = {
      uploadId: row.id,
      writer: claim.token,
      repositoryId: address.repository.id,
      projectId: address.repository.projectId,
      actorId: address.principal.id,
      requestId: address.requestId,
      sha256: digests.get('sha256') as Buffer,
      sha512: digests.get('sha512') ?? null,
      size,
      digest: digest ?? stored,
      lease: registry.clocks.lease,
      leftovers,
    };
    const blobId = await linking(registry, address.repository, (db) => commitBlob(db, commit));
    if (blobId === undefined) throw lostUpload();
    claim.released = true;
    registry.liveHashes.delete(row.id);
    return { digest: digest ?? stored, size };
  });
}

export interface NewBlob {
  /** A buffer stays as it is; the chunks of a stream are the store's from then on, and their memory is given back. */
  readonly body: Buffer | AsyncIterable<Buffer>;
  /** Of a stream, when the sender said so. */
  readonly length?: number | undefined;
  /** What the bytes have to be, when the sender said so. */
  readonly digest?: Digest;
}

/**
 * A whole blob in one go, for doors whose clients know nothing of uploads. The repository has it when this returns; a body
 * that breaks off or is refused leaves nothing.
 * @throws {Refusal} DIGEST_INVALID, BLOB_TOO_LARGE, QUOTA_EXCEEDED, and whatever `body` throws
 */
export async function storeBlob(registry: Registry, blob: Omit<UploadAddress, 'id'> & NewBlob): Promise<StoredBlob> {
  const { repository, principal, requestId } = blob;
  const [body, length] = Buffer.isBuffer(blob.body) ? [pieces(blob.body), blob.body.length] : [blob.body, blob.length];
  const id = await startUpload(registry, repository, principal, blob.digest ? algorithmOf(blob.digest) : 'sha256');
  const address = { id, repository, principal, requestId };
  try {
    return await finishUpload(registry, address, blob.digest, { body, length, range: undefined });
  } catch (error) {
    // Gone already where the digest was wrong. What cannot be cancelled now is reaped when idle.
    await cancelUpload(registry, address).catch(() => undefined);
    throw error;
  }
}

/** Pieces that the store leaves alone, since none is all of its memory. */
// oxlint-disable-next-line typescript/require-await -- a body is read asynchronously
async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length <= PIECE) yield Buffer.from(bytes);
  else for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Gives an upload up (end-14). @throws {Refusal} UPLOAD_UNKNOWN, UPLOAD_BUSY */
export async function cancelUpload(registry: Registry, address: UploadAddress): Promise<void> {
  if (await deleteUpload(registry.db, rowAddress(address), undefined, 'cancelled')) {
    registry.liveHashes.delete(address.id);
    return;
  }
  if (await selectUpload(registry.db, rowAddress(address))) throw busyUpload();
  throw unknownUpload();
}

/** Makes what came durable, notes it in the row, and gives the claim back with it. */
async function suspend(
  registry: Registry,
  row: ClaimedRow,
  claim: Claim,
  writer: ObjectWriter,
  hashes: Hashes | undefined,
): Promise<UnfinishedObject> {
  claim.check();
  const object = await writer.suspend();
  const saved = await releaseUpload(registry.db, row.id, claim.token, {
    size: object.size,
    state: object.state,
    sha256: hashes ? digestSoFar(hashes, 'sha256') : null,
    sha512: hashes?.sha512 ? digestSoFar(hashes, 'sha512') : null,
  });
  if (!saved) throw lostUpload();
  claim.released = true;
  if (hashes) registry.liveHashes.set(row.id, hashes);
  return object;
}

interface Receiving {
  readonly address: UploadAddress;
  readonly row: ClaimedRow;
  readonly claim: Claim;
  readonly chunk: Chunk;
  readonly writer: ObjectWriter;
  readonly hashes: Hashes | undefined;
  readonly digest?: Digest | undefined;
}

async function receive(registry: Registry, receiving: Receiving): Promise<Ingested> {
  const { address, row, claim, chunk, writer, hashes, digest } = receiving;
  const limit = registry.limits.blob - row.size;
  try {
    // Not a byte of a body that says itself that it is too long, or for which there is no room.
    if (chunk.length !== undefined && chunk.length > limit) throw new TooManyBytes(`${chunk.length} bytes announced`);
    const upload = { repository: address.repository, uploadId: row.id, writer: claim.token, size: row.size, digest };
    const room = await openRoom(registry, upload, chunk.length);
    return await ingest(chunk.body, writer, { hashes, limit, room, check: () => claim.check() });
  } catch (error) {
    if (error instanceof TooManyBytes) {
      throw new Refusal('BLOB_TOO_LARGE', `A blob may have at most ${registry.limits.blob} bytes here`);
    }
    throw error;
  }
}

/** The hashes to go on with: of this worker's last append, or new ones for an empty upload; undefined when unknown. */
function takeHashes(registry: Registry, row: ClaimedRow): Hashes | undefined {
  const live = registry.liveHashes.get(row.id);
  registry.liveHashes.delete(row.id);
  if (!row.inherited) return undefined;
  if (row.size === 0) return startHashes(row.algorithm);
  return live?.offset === row.size ? live : undefined;
}

/** What the row knows of the first `size` bytes. */
function rememberedDigests(row: ClaimedRow, digests: Map<Algorithm, Buffer>): void {
  if (row.size === 0 && row.inherited) {
    const none = startHashes('sha512');
    digests.set('sha256', digestSoFar(none, 'sha256'));
    digests.set('sha512', digestSoFar(none, 'sha512'));
    return;
  }
  if (row.sha256) digests.set('sha256', row.sha256);
  if (row.sha512) digests.set('sha512', row.sha512);
}

/** Reads the finished object back for digests that streaming did not give: rare, see docs/architecture.md. */
async function readMissing(
  registry: Registry,
  row: ClaimedRow,
  digest: Digest | undefined,
  digests: Map<Algorithm, Buffer>,
): Promise<void> {
  const named = digest ? algorithmOf(digest) : 'sha256';
  const wanted = (['sha256', named] as const).filter((algorithm) => !digests.has(algorithm));
  if (wanted.length === 0) return;
  const hashes = startHashes(wanted.includes('sha512') ? 'sha512' : 'sha256');
  for await (const bytes of registry.store.read(row.key)) {
    hashes.sha256.update(bytes);
    hashes.sha512?.update(bytes);
  }
  for (const algorithm of wanted) digests.set(algorithm, digestSoFar(hashes, algorithm));
}

function verify(wanted: Digest, actual: Buffer | undefined): void {
  if (actual === undefined || actual.equals(digestToBytes(wanted))) return;
  throw new Refusal(
    'DIGEST_INVALID',
    'The digest does not match the bytes that were received; compare it with what was sent and upload again',
    { digest: wanted },
  );
}

function checkRange(chunk: Chunk, size: number): void {
  if (chunk.range && chunk.range.start !== size) {
    throw new Refusal('UPLOAD_RANGE', `The next byte of this upload is ${size}, not ${chunk.range.start}`, { size });
  }
  if (chunk.range && chunk.length !== undefined) checkLength(chunk, chunk.length);
}

function checkLength(chunk: Chunk, bytes: number): void {
  if (chunk.range && chunk.range.end - chunk.range.start + 1 !== bytes) {
    throw new Refusal('SIZE_INVALID', `Content-Range announces other bytes than the ${bytes} of the body`);
  }
}

function digestSoFar(hashes: Hashes, algorithm: Algorithm): Buffer {
  const hash = algorithm === 'sha256' ? hashes.sha256 : hashes.sha512;
  if (!hash) throw new Error(`${algorithm} was not computed`);
  return digestToBytes(digestOf(algorithm, hash.copy()));
}

function objectOf(row: ClaimedRow): UnfinishedObject {
  return { key: row.key, size: row.size, state: row.state };
}

function rowAddress(address: UploadAddress): { id: string; repositoryId: number; principalId: number } {
  return { id: address.id, repositoryId: address.repository.id, principalId: address.principal.id };
}
