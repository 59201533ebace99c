/** Names as the OCI distribution specification writes them ("Pulling manifests"), parsed once at the edge. */
import { isRepositoryPath } from '../auth/names.ts';
import { parseDigest, type Digest } from '../blobs/digest.ts';

declare const brand: unique symbol;
/** `acme/web/api`: lower-case components; the first is the project. */
export type RepositoryPath = string & { readonly [brand]: 'RepositoryPath' };
export type Tag = string & { readonly [brand]: 'Tag' };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function parseRepositoryPath(text: string): RepositoryPath | undefined {
  return isRepositoryPath(text) ? (text as RepositoryPath) : undefined;
}

export function parseTag(text: string): Tag | undefined {
  return TAG.test(text) ? (text as Tag) : undefined;
}

export type Reference =
  | { readonly tag: Tag; readonly digest?: never }
  | { readonly digest: Digest; readonly tag?: never };

/** A tag or a digest; whatever has a colon is meant as a digest, since tags have none. */
export function parseReference(text: string): Reference | undefined {
  if (text.includes(':')) {
    const digest = parseDigest(text);
    return digest && { digest };
  }
  const tag = parseTag(text);
  return tag && { tag };
}
