/** Digests as OCI writes them (image-spec, descriptor.md#digests) and as rows keep them. */
import { createHash, type Hash } from 'node:crypto';

export type Algorithm = 'sha256' | 'sha512';

declare const brand: unique symbol;
/** A digest that has been parsed: `sha256:` + 64 or `sha512:` + 128 lower-case hex digits. */
export type Digest = string & { readonly [brand]: 'Digest' };

const GRAMMAR = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const TAGS: Record<Algorithm, number> = { sha256: 1, sha512: 2 };

export function parseDigest(text: string): Digest | undefined {
  return GRAMMAR.test(text) ? (text as Digest) : undefined;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.slice(0, 6) as Algorithm;
}

export function digestOf(algorithm: Algorithm, content: Buffer | Hash): Digest {
  const hash = Buffer.isBuffer(content) ? createHash(algorithm).update(content) : content;
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

/** One byte for the algorithm, then the raw digest: 33 bytes instead of 71 in every row and index entry. */
export function digestToBytes(digest: Digest): Buffer {
  const algorithm = algorithmOf(digest);
  const bytes = Buffer.allocUnsafe(algorithm === 'sha256' ? 33 : 65);
  bytes[0] = TAGS[algorithm];
  bytes.write(digest.slice(7), 1, 'hex');
  return bytes;
}

export function digestFromBytes(bytes: Buffer): Digest {
  const algorithm: Algorithm = bytes[0] === TAGS.sha512 ? 'sha512' : 'sha256';
  return `${algorithm}:${bytes.toString('hex', 1)}` as Digest;
}
