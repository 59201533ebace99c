/**
 * Content of any length that nobody stores: a block repeated, the first one stamped with the name of the blob and the
 * others with a number that comes round again, so that a fake that keeps equal blocks once needs little memory.
 */
import { createHash } from 'node:crypto';

const BLOCK = 1024 * 1024;
const STAMPS = 61;
const PATTERN = Buffer.alloc(BLOCK, 'everything is an artifact; ');

/**
 * Yields the blob's bytes block by block and hashes them on the way. Each block is a copy of its own, because a socket
 * may still hold the one before.
 */
export class StampedContent {
  readonly size: number;
  readonly #name: number;
  readonly #hash = createHash('sha256');

  constructor(name: number, size: number) {
    this.#name = name;
    this.size = size;
  }

  *blocks(): Generator<Buffer> {
    for (let at = 0; at < this.size; at += BLOCK) {
      const block = Buffer.from(PATTERN.subarray(0, Math.min(BLOCK, this.size - at)));
      block.write(at === 0 ? `blob ${this.#name} ` : `block ${(at / BLOCK) % STAMPS} `);
      this.#hash.update(block);
      yield block;
    }
  }

  /** Of everything that was yielded. */
  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
