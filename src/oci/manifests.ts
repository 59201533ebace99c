/** Manifests: end-3, end-7, end-9. */
import type { Context, Middleware } from 'koa';
import { readAll } from '../http/body.ts';
import { matches } from '../http/send.ts';
import { settledDigest } from '../registry/files/build.ts';
import * as manifests from '../registry/manifests.ts';
import { parseTag, type Tag } from '../registry/names.ts';
import { quotaWarning } from '../registry/quota/warning.ts';
import { ensureRepository } from '../registry/repositories.ts';
import { deleteTag } from '../registry/tags.ts';
import { empty } from './answers.ts';
import { mayPush } from './blobs.ts';
import { OciError } from './errors.ts';
import { decideAgain, referenceOf, requireRepository, stateOf, type OciDoor } from './guard.ts';

/** The specification asks for at least 10 (end-7b). */
const MAX_TAGS = 50;

/** GET and HEAD. Whatever `Accept` lists, what is stored is what is sent: converting would change the digest. */
export function getManifest({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const reference = referenceOf(ctx);
    const repository = requireRepository(ctx);
    const { scene } = stateOf(ctx);
    const digest =
      reference.digest ?? (scene.tagStale ? await settledDigest(registry, repository, reference.tag) : scene.tagDigest);
    const manifest = digest && (await manifests.findManifest(registry, repository, digest, mayPush(registry, ctx)));
    if (!manifest) throw manifests.unknownManifest(reference.digest ?? reference.tag);
    // Nodes that have the image only look where its tag points.
    if (ctx.method === 'GET' || reference.tag) registry.pulls.note(repository.id, manifest.digest, reference.tag);
    const etag = `"${manifest.digest}"`;
    ctx.set('Docker-Content-Digest', manifest.digest);
    ctx.set('ETag', etag);
    if (reference.digest) ctx.set('Cache-Control', 'private, max-age=31536000, immutable');
    else ctx.set('Cache-Control', 'no-cache');
    if (matches(ctx.get('If-None-Match'), etag)) {
      ctx.status = 304;
      return;
    }
    ctx.status = 200;
    ctx.set('Content-Type', manifest.mediaType);
    ctx.set('Content-Length', String(manifest.payload.length));
    // Written directly: `ctx.body = buffer` would put a charset-less type back to octet-stream.
    ctx.respond = false;
    ctx.res.end(ctx.method === 'HEAD' ? undefined : manifest.payload);
  };
}

/** PUT, by tag or digest; by digest with further tags in `?tag=`. */
export function putManifest(door: OciDoor): Middleware {
  const { registry, pace } = door;
  return async (ctx) => {
    const reference = referenceOf(ctx);
    const extra = extraTags(ctx);
    const bytes = await readAll(ctx, registry.limits.manifest, pace);
    await decideAgain(door, ctx, 'push');
    const { scene, path, principal, requestId } = stateOf(ctx);
    const repository = await ensureRepository(registry, scene, path, principal, requestId);
    const result = await manifests.putManifest(registry, {
      scene,
      repository,
      principal,
      requestId,
      bytes,
      contentType: ctx.get('Content-Type') || undefined,
      digest: reference.digest,
      tags: [...new Set([...(reference.tag ? [reference.tag] : []), ...extra])],
      allowSparse: scene.project?.allowSparse ?? false,
    });
    ctx.set('Location', `/v2/${path}/manifests/${result.digest}`);
    ctx.set('Docker-Content-Digest', result.digest);
    if (result.subject) ctx.set('OCI-Subject', result.subject);
    for (const tag of extra) ctx.append('OCI-Tag', tag);
    const warning = await quotaWarning(registry, repository);
    if (warning !== undefined) ctx.append('Warning', warning);
    empty(ctx, 201);
  };
}

function extraTags(ctx: Context): Tag[] {
  const named = ctx.query['tag'];
  if (named === undefined) return [];
  const list = Array.isArray(named) ? named : [named];
  if (list.length > MAX_TAGS) throw new OciError(414, 'UNSUPPORTED', `At most ${MAX_TAGS} tags in one request`);
  return list.map((text) => {
    const tag = parseTag(text);
    if (!tag) throw new OciError(400, 'MANIFEST_INVALID', `${JSON.stringify(text.slice(0, 140))} is not a tag`);
    return tag;
  });
}

/** DELETE: a tag alone, or a manifest with all its tags. */
export function deleteManifest({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const { scene, principal, requestId } = stateOf(ctx);
    const reference = referenceOf(ctx);
    const repository = requireRepository(ctx);
    const request = { scene, repository, principal, requestId };
    if (reference.tag !== undefined) await deleteTag(registry, { ...request, tag: reference.tag });
    else await manifests.deleteManifest(registry, { ...request, digest: reference.digest });
    empty(ctx, 202);
  };
}
