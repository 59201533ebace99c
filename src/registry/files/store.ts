/**
 * The bytes of a file, before it is put into its version: sent whole, sent in pieces by someone who was cut, or here already.
 * What a cut request brought stays for a day (`BERTH_UPLOAD_IDLE`), for the same person and the same file.
 */
import type { Principal } from '../../auth/principal.ts';
import type { Digest } from '../../blobs/digest.ts';
import { findBlob, mountBlob } from '../blobs.ts';
import { settledUpload } from '../claims.ts';
import { EMPTY_CONFIG } from './manifest.ts';
import type { FilePath } from './path.ts';
import { FileRefusal } from './refusal.ts';
import type { RepositoryPath, Tag } from '../names.ts';
import { adoptPartial, selectPartial } from '../queries/files-partial.ts';
import { partialName } from '../queries/files.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { targetOf, type Scene } from '../scene.ts';
import { appendToUpload, cancelUpload, finishUpload, startUpload, storeBlob, type Chunk } from '../uploads.ts';

/** A cut body below this is not worth coming back for; above, one more statement is not much. */
const RESUMABLE = 1024 * 1024;

export interface FileUpload {
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
  readonly tag: Tag;
  readonly path: FilePath;
  readonly body: AsyncIterable<Buffer>;
  readonly length: number | undefined;
  /** Of a request that brings one piece: which bytes of how many. */
  readonly piece: { readonly start: number; readonly end: number; readonly total: number | undefined } | undefined;
  /** sha256 of the whole, when the sender said so. */
  readonly digest: Digest | undefined;
  /** Whether the sender was cut, and may come back; other failures leave nothing. */
  readonly wasCut: (failure: Error) => boolean;
}

export type Stored =
  | { readonly complete: true; readonly digest: Digest; readonly size: number }
  | { readonly complete: false; readonly size: number };

/**
 * Takes the body of a PUT. The repository has the blob when this says that it is complete.
 * @throws {Refusal} DIGEST_INVALID, BLOB_TOO_LARGE, UPLOAD_RANGE (its detail says where to go on), UPLOAD_BUSY
 */
export async function storeFile(registry: Registry, upload: FileUpload): Promise<Stored> {
  const { repository, principal, requestId, piece } = upload;
  const partial = piece && piece.start > 0 ? await findPartial(registry, upload) : undefined;
  if (piece && piece.start > 0 && !partial) throw wrongOffset(0);
  const id = partial?.id ?? (await startUpload(registry, repository, principal, 'sha256'));
  const address = { id, repository, principal, requestId };
  const large = piece !== undefined || (upload.length ?? Infinity) >= RESUMABLE;
  const keeps = (failure: Error): boolean => large && upload.wasCut(failure);
  const chunk: Chunk = { body: upload.body, length: upload.length, range: piece, keeps };
  try {
    if (large && !partial) await adoptPartial(registry.db, { ...where(upload), id });
    if (piece && piece.end + 1 < (piece.total ?? 0)) {
      return { complete: false, size: await appendToUpload(registry, address, chunk) };
    }
    return { complete: true, ...(await finishUpload(registry, address, upload.digest, chunk)) };
  } catch (error) {
    const mayGoOn =
      keeps(error as Error) ||
      (error instanceof Refusal && ['UPLOAD_RANGE', 'UPLOAD_BUSY', 'UPLOAD_LOST'].includes(error.code));
    if (!mayGoOn) await cancelUpload(registry, address).catch(() => undefined);
    throw error;
  }
}

/** Bytes of the file that are here from a request that was cut; undefined when there are none. */
export async function partialSize(
  registry: Registry,
  file: Pick<FileUpload, 'repository' | 'principal' | 'tag' | 'path'>,
): Promise<number | undefined> {
  const partial = await findPartial(registry, file);
  if (!partial) return undefined;
  const address = { id: partial.id, repositoryId: file.repository.id, principalId: file.principal.id };
  try {
    return (await settledUpload(registry, address)).size;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'UPLOAD_UNKNOWN') return undefined;
    throw error;
  }
}

function findPartial(registry: Registry, file: Pick<FileUpload, 'repository' | 'principal' | 'tag' | 'path'>) {
  return selectPartial(registry.db, where(file));
}

function where({ repository, principal, tag, path }: Pick<FileUpload, 'repository' | 'principal' | 'tag' | 'path'>) {
  return { repositoryId: repository.id, principalId: principal.id, file: partialName(tag, path) };
}

function wrongOffset(size: number): Refusal {
  return new Refusal('UPLOAD_RANGE', `Nothing of this file is here; begin with byte ${size}`, { size });
}

/**
 * Bytes that are here already are not sent again ("checksum deploy"), if the caller may read a repository that has them.
 * Unknown and forbidden look the same.
 * @throws {FileRefusal} CHECKSUM_UNKNOWN
 */
export async function deployByChecksum(
  registry: Registry,
  into: { scene: Scene; repository: Repository; principal: Principal; from: RepositoryPath | undefined },
  digest: Digest,
): Promise<{ digest: Digest; size: number }> {
  const { scene, repository, principal, from } = into;
  const { access: _access, ...credential } = principal;
  const mayRead = await registry.gate.decide(credential, 'pull', targetOf(scene));
  let blob = mayRead.effect === 'deny' ? undefined : await findBlob(registry, repository, digest, true);
  if (!blob) {
    const mount = { digest, from, into: repository, intoScene: scene, principal };
    if (await mountBlob(registry, mount)) blob = await findBlob(registry, repository, digest, true);
  }
  if (!blob) {
    throw new FileRefusal('CHECKSUM_UNKNOWN', 'There are no such bytes that you may read; send the file');
  }
  return { digest, size: blob.size };
}

/** Every manifest of files has this as its config, so every repository of files has it, too. */
export async function ensureEmptyConfig(
  registry: Registry,
  by: { repository: Repository; principal: Principal; requestId: string },
): Promise<void> {
  if (await findBlob(registry, by.repository, EMPTY_CONFIG.digest, true)) return;
  await storeBlob(registry, { ...by, body: Buffer.from('{}'), digest: EMPTY_CONFIG.digest });
}
