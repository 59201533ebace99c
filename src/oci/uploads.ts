/** Uploads: end-4, end-5, end-6, end-11, end-13, end-14. */
import type { Context, Middleware } from 'koa';
import { parseDigest, type Algorithm, type Digest } from '../blobs/digest.ts';
import { declaredLength, hasBody, readBody } from '../http/body.ts';
import { parseContentRange } from '../http/ranges.ts';
import { mountBlob } from '../registry/blobs.ts';
import { parseRepositoryPath } from '../registry/names.ts';
import { quotaWarning } from '../registry/quota/warning.ts';
import { Refusal } from '../registry/refusal.ts';
import { ensureRepository, type Repository } from '../registry/repositories.ts';
import { unknownUpload } from '../registry/upload-refusals.ts';
import * as uploads from '../registry/uploads.ts';
import { empty } from './answers.ts';
import { OciError } from './errors.ts';
import { requireRepository, stateOf, type OciDoor } from './guard.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** POST: starts an upload, or does all of it (`?digest=`), or mounts what is here already (`?mount=`). */
export function postUpload(door: OciDoor): Middleware {
  const { registry } = door;
  return async (ctx) => {
    const { scene, path, principal, requestId } = stateOf(ctx);
    const digest = queryDigest(ctx, 'digest');
    const mount = queryDigest(ctx, 'mount');
    const algorithm = announcedAlgorithm(ctx, digest);
    const repository = await ensureRepository(registry, scene, path, principal, requestId);
    if (mount) {
      const named = query(ctx, 'from');
      // A name that cannot exist is a source that does not: the client sends the bytes.
      const from = named === undefined ? undefined : parseRepositoryPath(named);
      const possible = named === undefined || from !== undefined;
      if (
        possible &&
        (await mountBlob(registry, { digest: mount, from, into: repository, intoScene: scene, principal }))
      ) {
        await warn(door, ctx, repository);
        return created(ctx, repository, mount);
      }
    }
    const id = await uploads.startUpload(registry, repository, principal, algorithm);
    if (digest) {
      const address = { id, repository, principal, requestId };
      try {
        await uploads.finishUpload(registry, address, digest, chunkOf(door, ctx));
      } catch (error) {
        // The client knows no location of this upload, so nobody could go on with it.
        await uploads.cancelUpload(registry, address).catch(() => {});
        throw error;
      }
      await warn(door, ctx, repository);
      return created(ctx, repository, digest);
    }
    await warn(door, ctx, repository);
    accepted(ctx, repository, id, 0);
  };
}

/** PATCH: appends a chunk, checked against Content-Range when there is one. */
export function patchUpload(door: OciDoor): Middleware {
  return async (ctx) => {
    const address = addressOf(ctx);
    const size = await withRange(ctx, address, () =>
      uploads.appendToUpload(door.registry, address, chunkOf(door, ctx)),
    );
    accepted(ctx, address.repository, address.id, size);
  };
}

/** PUT: the last chunk, if any, and the digest of the whole. */
export function finishUpload(door: OciDoor): Middleware {
  return async (ctx) => {
    const address = addressOf(ctx);
    const digest = queryDigest(ctx, 'digest');
    if (!digest) throw new OciError(400, 'DIGEST_INVALID', 'Say the digest of the whole blob: ?digest=sha256:…');
    const chunk = hasBody(ctx.req) ? chunkOf(door, ctx) : undefined;
    await withRange(ctx, address, () => uploads.finishUpload(door.registry, address, digest, chunk));
    created(ctx, address.repository, digest);
  };
}

/** GET: how far the upload is. */
export function getUpload({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const address = addressOf(ctx);
    const size = await uploads.uploadSize(registry, address);
    locate(ctx, address.repository, address.id, size);
    ctx.status = 204;
  };
}

export function cancelUpload({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    await uploads.cancelUpload(registry, addressOf(ctx));
    ctx.status = 204;
  };
}

function addressOf(ctx: Context): uploads.UploadAddress {
  const { principal, requestId } = stateOf(ctx);
  const { id } = ctx['params'] as { id: string };
  if (!UUID.test(id)) throw unknownUpload();
  return { id, repository: requireRepository(ctx), principal, requestId };
}

function chunkOf({ pace }: OciDoor, ctx: Context): uploads.Chunk {
  const header = ctx.get('Content-Range');
  const range = header === '' ? undefined : parseContentRange(header);
  if (header !== '' && !range) {
    throw new OciError(
      400,
      'BLOB_UPLOAD_INVALID',
      'Content-Range must be <first>-<last>, both inclusive, such as 0-1023',
    );
  }
  return { body: readBody(ctx, pace), length: declaredLength(ctx.req), range };
}

/** A 416 tells where the upload is, so that the client can go on. */
async function withRange<T>(ctx: Context, address: uploads.UploadAddress, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'UPLOAD_RANGE') {
      locate(ctx, address.repository, address.id, (error.detail as { size: number }).size);
    }
    throw error;
  }
}

/** `Range: 0-0` also for an empty upload: Docker's client cannot read `0--1`. */
function locate(ctx: Context, repository: Repository, id: string, size: number): void {
  ctx.set('Location', `/v2/${repository.path}/blobs/uploads/${id}`);
  ctx.set('Docker-Upload-UUID', id);
  ctx.set('Range', `0-${Math.max(0, size - 1)}`);
}

/** Says that the project is nearly full, on the answer that begins a push. */
async function warn({ registry }: OciDoor, ctx: Context, repository: Repository): Promise<void> {
  const warning = await quotaWarning(registry, repository);
  if (warning !== undefined) ctx.append('Warning', warning);
}

function accepted(ctx: Context, repository: Repository, id: string, size: number): void {
  locate(ctx, repository, id, size);
  empty(ctx, 202);
}

function created(ctx: Context, repository: Repository, digest: Digest): void {
  ctx.set('Location', `/v2/${repository.path}/blobs/${digest}`);
  ctx.set('Docker-Content-Digest', digest);
  empty(ctx, 201);
}

function query(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === '' ? undefined : text;
}

function queryDigest(ctx: Context, name: string): Digest | undefined {
  const text = query(ctx, name);
  if (text === undefined) return undefined;
  const digest = parseDigest(text);
  if (!digest) {
    throw new OciError(400, 'DIGEST_INVALID', `${name} must be sha256:<64 hex> or sha512:<128 hex>, in lower case`);
  }
  return digest;
}

/** `digest-algorithm` (end-4c), or what the digest itself says; named early it saves reading the bytes again. */
function announcedAlgorithm(ctx: Context, digest: Digest | undefined): Algorithm {
  const named = query(ctx, 'digest-algorithm');
  if (named !== undefined && named !== 'sha256' && named !== 'sha512') {
    throw new OciError(400, 'DIGEST_INVALID', 'digest-algorithm must be sha256 or sha512');
  }
  return named === 'sha512' || digest?.startsWith('sha512:') ? 'sha512' : 'sha256';
}
