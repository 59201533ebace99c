/** Stored bytes of the fake. Equal blocks are kept once, so 10 GiB of a repeating pattern take 1 MiB of memory. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BLOCK = 1024 * 1024;

export interface Content {
  readonly blocks: readonly Buffer[];
  readonly size: number;
  /** With quotes, as S3 sends it. */
  readonly etag: string;
}

/** Blocks that are in use anywhere. Weak, so that what is deleted frees its memory. */
export class Blocks {
  readonly #known = new Map<number, WeakRef<Buffer>[]>();

  intern(block: Buffer): { block: Buffer; crc: number } {
    const crc = crc32(block);
    const same = (this.#known.get(crc) ?? []).filter((ref) => ref.deref() !== undefined);
    const found = same.map((ref) => ref.deref()).find((other) => other?.equals(block));
    if (found !== undefined) return { block: found, crc };
    // A copy: the caller goes on using its buffer.
    const kept = Buffer.from(block);
    this.#known.set(crc, [...same, new WeakRef(kept)]);
    return { block: kept, crc };
  }
}

/** Takes a body in; `onChunk` sees each piece of it. @throws when the sender breaks off */
export async function receive(
  body: AsyncIterable<Buffer>,
  blocks: Blocks,
  onChunk: (chunk: Buffer) => void,
): Promise<Content> {
  const kept: Buffer[] = [];
  const tag = createHash('md5');
  const filling = Buffer.allocUnsafe(BLOCK);
  let length = 0;
  let size = 0;
  const keep = (): void => {
    const { block, crc } = blocks.intern(filling.subarray(0, length));
    tag.update(`${crc}.`);
    kept.push(block);
    length = 0;
  };
  for await (const chunk of body) {
    onChunk(chunk);
    size += chunk.length;
    for (let taken = 0; taken < chunk.length;) {
      const copied = chunk.copy(filling, length, taken);
      taken += copied;
      length += copied;
      if (length === BLOCK) keep();
    }
  }
  if (length > 0) keep();
  return { blocks: kept, size, etag: `"${tag.update(String(size)).digest('hex')}"` };
}

/** What an assembled upload is. */
export function concat(parts: readonly Content[]): Content {
  const tag = createHash('md5');
  for (const part of parts) tag.update(part.etag);
  return {
    blocks: parts.flatMap((part) => part.blocks),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `"${tag.digest('hex')}-${parts.length}"`,
  };
}

/** Bytes `start` to `end`, exclusive. */
export function* slice(content: Content, start: number, end: number): Generator<Buffer> {
  let at = 0;
  for (const block of content.blocks) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, block.length);
    if (from < to) yield block.subarray(from, to);
    at += block.length;
    if (at >= end) return;
  }
}
