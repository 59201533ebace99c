/** Blobs: end-2 and end-10. */
import type { Context, Middleware } from 'koa';
import { parseDigest, type Digest } from '../blobs/digest.ts';
import { verified } from '../blobs/verify.ts';
import { sendContent, matches } from '../http/send.ts';
import * as blobs from '../registry/blobs.ts';
import type { Registry } from '../registry/registry.ts';
import { targetOf } from '../registry/scene.ts';
import { OciError } from './errors.ts';
import { requireRepository, stateOf, type OciDoor } from './guard.ts';
import { empty } from './answers.ts';

const PRESIGN_SECONDS = 300;

export function digestOf(ctx: Context): Digest {
  const digest = parseDigest((ctx['params'] as { digest: string }).digest);
  if (!digest) {
    throw new OciError(400, 'DIGEST_INVALID', 'A digest is sha256:<64 hex> or sha512:<128 hex>, in lower case');
  }
  return digest;
}

/** GET and HEAD: whole, a range or several, or a redirect to the store where clients can reach it. */
export function getBlob({ registry, verifyReads }: OciDoor): Middleware {
  return async (ctx) => {
    const digest = digestOf(ctx);
    const blob = await blobs.findBlob(registry, requireRepository(ctx), digest, mayPush(registry, ctx));
    if (!blob) throw blobs.unknownBlob(digest);
    const etag = `"${digest}"`;
    ctx.set('Docker-Content-Digest', digest);
    ctx.set('Cache-Control', 'private, max-age=31536000, immutable');
    if (registry.redirects && !verifyReads && mayRedirect(ctx, etag)) {
      ctx.set('Cache-Control', 'no-store');
      ctx.set(
        'Location',
        await registry.redirects.presign(blob.key, {
          seconds: PRESIGN_SECONDS,
          contentType: 'application/octet-stream',
        }),
      );
      empty(ctx, 307);
      return;
    }
    await sendContent(ctx, {
      size: blob.size,
      type: 'application/octet-stream',
      etag,
      read: async (range) => {
        const bytes = await blobs.readBlob(registry, blob, range);
        return verifyReads && !range ? verified(bytes, digest, blob.size) : bytes;
      },
    });
  };
}

/** To someone who may push, the answer is the promise that what is here need not be sent again (P4). */
export function mayPush(registry: Registry, ctx: Context): () => Promise<boolean> {
  const { principal, scene } = stateOf(ctx);
  const { access: _access, ...subject } = principal;
  return async () => (await registry.gate.decide(subject, 'push', targetOf(scene))).effect !== 'deny';
}

/** Never for HEAD (a URL signed for GET refuses it), several ranges (S3 has none), or when 304 will do. */
function mayRedirect(ctx: Context, etag: string): boolean {
  return ctx.method === 'GET' && !ctx.get('Range').includes(',') && !matches(ctx.get('If-None-Match'), etag);
}

export function deleteBlob({ registry }: OciDoor): Middleware {
  return async (ctx) => {
    const { principal, requestId } = stateOf(ctx);
    await blobs.deleteBlob(registry, requireRepository(ctx), digestOf(ctx), principal, requestId);
    empty(ctx, 202);
  };
}
