/** `If-Match` and `If-None-Match` of a write (RFC 9110 section 13.1), as what a file must or must not be. */
import type { Context } from 'koa';
import { parseDigest, type Digest } from '../blobs/digest.ts';
import type { Condition } from '../registry/files/put.ts';

export function conditionOf(ctx: Context): Condition {
  const match = tagsOf(ctx.get('If-Match'));
  const noneMatch = tagsOf(ctx.get('If-None-Match'));
  return { ...(match !== undefined && { match }), ...(noneMatch !== undefined && { noneMatch }) };
}

/** ETags here are digests in quotes; one that is none names nothing that is here. */
function tagsOf(header: string): readonly Digest[] | '*' | undefined {
  if (header === '') return undefined;
  if (header.trim() === '*') return '*';
  return header.split(',').flatMap((tag) => {
    const digest = parseDigest(tag.trim().replace(/^W\//, '').replaceAll('"', ''));
    return digest ? [digest] : [];
  });
}
