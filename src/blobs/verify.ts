/** Reads that are checked: the last bytes are held back until the whole is known to be right (promise P3). */
import { createHash } from 'node:crypto';
import { algorithmOf, digestToBytes, digestOf, type Digest } from './digest.ts';

export class CorruptObject extends Error {
  override readonly name = 'CorruptObject';
}

/**
 * Yields `bytes`, all but the last chunk as they come. The consumer is cut off before it has everything when size or
 * digest is wrong, so a corrupt object never looks like a success.
 * @throws {CorruptObject}
 */
export async function* verified(
  bytes: Buffer | AsyncIterable<Buffer>,
  digest: Digest,
  size: number,
): AsyncGenerator<Buffer> {
  const hash = createHash(algorithmOf(digest));
  let seen = 0;
  for await (const chunk of Buffer.isBuffer(bytes) ? [bytes] : bytes) {
    hash.update(chunk);
    seen += chunk.length;
    if (seen >= size) {
      const right = seen === size && digestToBytes(digestOf(algorithmOf(digest), hash)).equals(digestToBytes(digest));
      if (!right) break;
      yield chunk;
      return;
    }
    yield chunk;
  }
  if (size === 0 && seen === 0) return;
  throw new CorruptObject(`The stored object is not ${digest}: ${seen} bytes read`);
}
