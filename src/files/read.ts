/** GET and HEAD: a file, a folder, a version as an archive, the versions of a repository. */
import type { Context, Middleware } from 'koa';
import { verified } from '../blobs/verify.ts';
import { digestOf } from '../blobs/digest.ts';
import { sendContent } from '../http/send.ts';
import { findBlob, readBlob } from '../registry/blobs.ts';
import { findFile, listFiles, SUMS, sumsOf } from '../registry/files/read.ts';
import type { File } from '../registry/files/manifest.ts';
import { baseName } from '../registry/files/path.ts';
import { partialSize } from '../registry/files/store.ts';
import { unknownFile } from '../registry/files/put.ts';
import { findVersion, unknownVersion, type FoundVersion } from '../registry/files/versions.ts';
import type { Repository } from '../registry/repositories.ts';
import { pathOf, type Address } from './address.ts';
import { sendArchive } from './archive.ts';
import { sayDigests } from './checksums.ts';
import { asksForPartial, requireRepository, stateOf, type FilesDoor } from './guard.ts';
import { sendFolder } from './listing.ts';
import { attach, sandbox, typeOf } from './safety.ts';
import { tagToWrite } from './write.ts';
import { sendVersions } from './versions.ts';

export function get(door: FilesDoor): Middleware {
  const { registry } = door;
  return async (ctx) => {
    const { address, scene, principal } = stateOf(ctx);
    if (asksForPartial(ctx)) return sayPartial(door, ctx, address);
    const repository = requireRepository(ctx);
    sandbox(ctx);
    if (address.kind === 'repository') return sendVersions(door, ctx, repository);
    const version = await findVersion(registry, { scene, repository, principal }, address.version);
    if (!version) throw unknownVersion();
    sayVersion(ctx, repository, address, version);
    if (address.kind === 'file') return sendFile(door, ctx, repository, version, address.path);
    if (ctx.query['archive'] !== undefined) {
      await sendArchive(door, ctx, repository, version, address.folder);
      return countPull(door, ctx, repository, version);
    }
    return sendFolder(door, ctx, repository, version, address.folder);
  };
}

/** What a digest names never changes; what a tag names may, and `latest` or a range says in Content-Location what it is now. */
function sayVersion(ctx: Context, repository: Repository, address: Address, version: FoundVersion): void {
  const immutable = version.tag === undefined;
  ctx.set('Cache-Control', immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache');
  if (!version.resolved || version.tag === undefined || address.kind === 'repository') return;
  const rest = address.kind === 'file' ? address.path : address.folder;
  ctx.set('Content-Location', pathOf(repository.path, version.tag, rest));
}

async function sendFile(
  door: FilesDoor,
  ctx: Context,
  repository: Repository,
  version: FoundVersion,
  path: string,
): Promise<void> {
  const { registry, verifyReads } = door;
  const file = await findFile(registry, repository, version, path);
  if (!file) {
    if (path === SUMS) return sendSums(door, ctx, repository, version);
    throw unknownFile();
  }
  const blob = await findBlob(registry, repository, file.digest, false);
  if (!blob) throw unknownFile();
  countPull(door, ctx, repository, version);
  attach(ctx, baseName(path));
  sayDigests(ctx, file.digest);
  await sendContent(ctx, {
    size: blob.size,
    type: typeOf(path),
    etag: `"${file.digest}"`,
    read: async (range) => {
      const bytes = await readBlob(registry, blob, range);
      return verifyReads && !range ? verified(bytes, file.digest, blob.size) : bytes;
    },
  });
}

function countPull({ registry }: FilesDoor, ctx: Context, repository: Repository, version: FoundVersion): void {
  if (ctx.method === 'GET') registry.pulls.note(repository.id, version.digest, version.tag);
}

/** Every version has its checksums under this name, unless somebody put a file there. */
async function sendSums(
  { registry }: FilesDoor,
  ctx: Context,
  repository: Repository,
  version: FoundVersion,
): Promise<void> {
  const files: File[] | undefined = await listFiles(registry, repository, version);
  if (!files) throw unknownVersion();
  const sums = sumsOf(files);
  const digest = digestOf('sha256', sums);
  attach(ctx, SUMS);
  sayDigests(ctx, digest);
  await sendContent(ctx, {
    size: sums.length,
    type: 'text/plain; charset=utf-8',
    etag: `"${digest}"`,
    read: async (range) => (range ? sums.subarray(range.start, range.end + 1) : sums),
  });
}

/** How far an upload that was cut came: `curl -I '…?partial'`, then `curl -C <offset> -T`. */
async function sayPartial({ registry }: FilesDoor, ctx: Context, address: Address): Promise<void> {
  const { repository, principal } = stateOf(ctx);
  if (address.kind !== 'file') throw unknownFile();
  const tag = tagToWrite(ctx);
  const size = repository && (await partialSize(registry, { repository, principal, tag, path: address.path }));
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Upload-Offset', String(size ?? 0));
  ctx.status = 204;
}
