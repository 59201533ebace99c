/** PUT and DELETE: one file at a time, or a whole version at once. */
import type { Context, Middleware } from 'koa';
import type { Digest } from '../blobs/digest.ts';
import { BodyAborted, declaredLength, hasBody, readBody } from '../http/body.ts';
import { checkCondition, putFiles, removeFile, type VersionRequest } from '../registry/files/put.ts';
import { findFile } from '../registry/files/read.ts';
import { deployByChecksum, ensureEmptyConfig, storeFile } from '../registry/files/store.ts';
import { ensureRepository, type Repository } from '../registry/repositories.ts';
import { parseRepositoryPath, type RepositoryPath, type Tag } from '../registry/names.ts';
import { quotaWarning } from '../registry/quota/warning.ts';
import { removeVersion } from '../registry/files/versions.ts';
import { pathOf } from './address.ts';
import { checked, claimsOf, refuseOthers, sayDigests, sha256Of, type Checksums } from './checksums.ts';
import { conditionOf } from './conditions.ts';
import { FileError, wantsJson } from './errors.ts';
import { decideAgain, requireRepository, stateOf, type FilesDoor } from './guard.ts';
import { parsePiece } from './piece.ts';

/** PUT of a file: its bytes, a piece of them, or only their checksum. */
export function putFile(door: FilesDoor): Middleware {
  const { registry, pace } = door;
  return async (ctx) => {
    const { address } = stateOf(ctx);
    if (address.kind !== 'file')
      throw new FileError(405, 'method-not-allowed', 'PUT a file: the URL ends with its name');
    const { path } = address;
    const tag = tagToWrite(ctx);
    const claims = claimsOf(ctx);
    const condition = conditionOf(ctx);
    const piece = parsePiece(ctx);
    if (piece) refuseOthers(claims.whole);
    await refuseEarly(door, ctx);
    const { scene, principal, requestId } = stateOf(ctx);
    const repository = await ensureRepository(registry, scene, address.repository, principal, requestId);
    const digest = sha256Of(claims.whole);
    let content: { digest: Digest; size: number };
    let others: Checksums = new Map();
    if (isDeploy(ctx)) {
      if (!digest) throw new FileError(400, 'request-invalid', 'Say which bytes: X-Checksum-Sha256');
      content = await deployByChecksum(registry, { scene, repository, principal, from: sourceOf(ctx) }, digest);
    } else {
      const { body, digests } = checked(readBody(ctx, pace), claims, piece === undefined);
      const upload = {
        repository,
        principal,
        requestId,
        tag,
        path,
        body,
        length: declaredLength(ctx.req),
        piece,
        digest,
      };
      const stored = await storeFile(registry, { ...upload, wasCut: (failure) => failure instanceof BodyAborted });
      if (!stored.complete) {
        ctx.set('Upload-Offset', String(stored.size));
        ctx.status = 202;
        ctx.body = `${stored.size} bytes are here\n`;
        return;
      }
      content = stored;
      others = digests;
    }
    const request = await requestAfterBody(door, ctx, repository, tag);
    await ensureEmptyConfig(registry, { repository, principal, requestId });
    const [result] = await putFiles(registry, request, [{ path, ...content }], condition);
    const created = result?.outcome === 'created';
    const where = pathOf(repository.path, tag, path);
    ctx.status = created ? 201 : 200;
    const warning = await quotaWarning(registry, repository);
    if (warning !== undefined) ctx.append('Warning', warning);
    ctx.set('ETag', `"${content.digest}"`);
    if (created) ctx.set('Location', where);
    sayDigests(ctx, content.digest, others);
    answer(ctx, { path: where, digest: content.digest, size: content.size, outcome: result?.outcome });
  };
}

/** What the URL names, decided anew, since the body may have taken its time. */
export async function requestAfterBody(
  door: FilesDoor,
  ctx: Context,
  repository: Repository,
  tag: Tag,
): Promise<VersionRequest> {
  await decideAgain(door, ctx, 'push');
  const { scene, principal, requestId } = stateOf(ctx);
  return { scene, repository, principal, requestId, tag };
}

/** @throws {FileError} for a digest or a range: what is written has a name of its own */
export function tagToWrite(ctx: Context): Tag {
  const { address } = stateOf(ctx);
  if (address.kind !== 'repository' && address.version.kind === 'tag') return address.version.tag;
  throw new FileError(
    405,
    'method-not-allowed',
    'Files are put into a version by its name, such as tools:1.2.3; a digest or a range can only be read',
  );
}

/** Conditions that fail already are answered before the body is asked for; they are decided in the transaction all the same. */
async function refuseEarly({ registry }: FilesDoor, ctx: Context): Promise<void> {
  const condition = conditionOf(ctx);
  const { scene, repository, address } = stateOf(ctx);
  if (address.kind !== 'file' || Object.keys(condition).length === 0) return;
  const { tagDigest: digest, tagStale: stale } = scene;
  const tag = tagToWrite(ctx);
  const version = digest && { tag, digest, stale, resolved: false };
  const now = repository && version && (await findFile(registry, repository, version, address.path));
  checkCondition(condition, now?.digest, address.path);
}

function isDeploy(ctx: Context): boolean {
  const asked = ctx.get('X-Checksum-Deploy').toLowerCase() === 'true';
  if (asked && hasBody(ctx.req)) {
    throw new FileError(400, 'request-invalid', 'A request with X-Checksum-Deploy has no body');
  }
  return asked;
}

/** `?from=team/tools`: where the bytes are, when it is neither this project nor a public one. */
function sourceOf(ctx: Context): RepositoryPath | undefined {
  const { from } = ctx.query;
  if (from === undefined) return undefined;
  const path = typeof from === 'string' ? parseRepositoryPath(from) : undefined;
  if (path) return path;
  throw new FileError(400, 'name-invalid', 'from is the path of a repository');
}

/** DELETE of a file, or of a version; what the version's manifest names stays until nothing does. */
export function remove({ registry }: FilesDoor): Middleware {
  return async (ctx) => {
    const { address, scene, principal, requestId } = stateOf(ctx);
    const tag = tagToWrite(ctx);
    const repository = requireRepository(ctx);
    const request = { scene, repository, principal, requestId, tag };
    if (address.kind === 'file') {
      await removeFile(registry, request, address.path, conditionOf(ctx));
    } else if (address.kind === 'folder' && address.folder === '') {
      await removeVersion(registry, request);
    } else {
      throw new FileError(405, 'method-not-allowed', 'A folder goes with its last file; delete files or the version');
    }
    ctx.status = 204;
  };
}

export function answer(ctx: Context, file: { path: string; digest: Digest; size: number; outcome: unknown }): void {
  ctx.set('Cache-Control', 'no-store');
  if (wantsJson(ctx)) {
    ctx.set('Content-Type', 'application/json');
    ctx.body = JSON.stringify(file);
    return;
  }
  ctx.set('Content-Type', 'text/plain; charset=utf-8');
  ctx.body = `${file.digest} ${file.size} ${file.path}\n`;
}
