/** Bytes for tests of stores: every position differs from its neighbours, so bytes at the wrong place show. */
import { createCipheriv } from 'node:crypto';
import type { BlobStore, ByteRange, ObjectWriter, UnfinishedObject } from '../../src/blobs/store.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Pseudo-random bytes, always the same ones: a longer call begins with those of a shorter one. */
export function bytes(length: number, seed = 0): Buffer {
  const key = Buffer.alloc(16, seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Writes in chunks of a size that fits nothing. */
export async function pour(writer: ObjectWriter, content: Buffer, chunk = 65_521): Promise<void> {
  // Copies: what a writer is given is the writer's.
  for (let at = 0; at < content.length; at += chunk) await writer.write(Buffer.from(content.subarray(at, at + chunk)));
}

export async function drain(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

export function read(source: BlobStore, key: string, range?: ByteRange): Promise<Buffer> {
  return drain(source.read(key, range));
}

/** Writes `content` in one go. */
export async function store(target: BlobStore, key: string, content: Buffer, expected?: number): Promise<void> {
  await using writer = await target.write(fresh(key), expected);
  await pour(writer, content);
  await writer.finish();
}

export function fresh(key: string): UnfinishedObject {
  return { key, size: 0, state: null };
}

/** What the row gives back: plain JSON. */
export function saved(object: UnfinishedObject): UnfinishedObject {
  return JSON.parse(JSON.stringify(object)) as UnfinishedObject;
}
