/** What the folder does to the store when it is not as it should be. */
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskError } from '../../src/blobs/disk-errors.ts';
import { openDiskStore } from '../../src/blobs/disk.ts';
import { newKey } from '../../src/blobs/keys.ts';
import { ObjectMissing, StoreFull, StoreUnavailable, type BlobStore } from '../../src/blobs/store.ts';
import { bytes, fresh, MIB, pour, read, store } from '../contract/bytes.ts';

let folder: string;
let blobs: BlobStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-disk-'));
  blobs = await openDiskStore({ folder: join(folder, 'data', 'bytes') });
});

afterEach(() => rm(folder, { recursive: true }));

const pathOf = (key: string): string => join(folder, 'data', 'bytes', key);

it.each(['../x', '/etc/passwd', 'a/../../x', 'a//b', 'a/', '', '.', '.hidden', 'a\0b', 'a\\b', 'objects/A'])(
  'does not take %j for a key',
  async (key) => {
    expect(() => blobs.write(fresh(key))).toThrow(TypeError);
    expect(() => blobs.read(key)).toThrow(TypeError);
    await expect(blobs.size(key)).rejects.toThrow(TypeError);
    await expect(blobs.delete(key)).rejects.toThrow(TypeError);
    expect(await readdir(join(folder, 'data', 'bytes'))).toEqual([]);
  },
);

it.each([1_000, 3 * MIB])('does not serve a file of %i bytes that has become shorter', async (size) => {
  const key = newKey();
  await store(blobs, key, bytes(size));
  await truncate(pathOf(key), size - 1);
  await expect(read(blobs, key, { start: 0, end: size - 1 })).rejects.toBeInstanceOf(StoreUnavailable);
});

it('does not continue a file that has become shorter', async () => {
  await using writer = await blobs.write(fresh(newKey()));
  await pour(writer, bytes(1_000));
  const object = await writer.suspend();
  await truncate(pathOf(object.key), 999);
  await expect(blobs.write(object)).rejects.toThrow(ObjectMissing);
});

it('is unavailable when something is in the way', async () => {
  await writeFile(join(folder, 'data', 'bytes', 'objects'), '');
  await expect(blobs.write(fresh(newKey()))).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(blobs.check()).rejects.toBeInstanceOf(StoreUnavailable);
});

it('is unavailable when a folder is where a file should be', async () => {
  const key = newKey();
  await mkdir(pathOf(key), { recursive: true });
  await expect(read(blobs, key)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(blobs.delete(key)).rejects.toBeInstanceOf(StoreUnavailable);
});

it('creates a folder again that has gone, but not the one that holds all', async () => {
  const key = newKey();
  await store(blobs, key, bytes(1));
  await rm(dirname(pathOf(key)), { recursive: true });
  await store(blobs, key, bytes(2));
  expect(await read(blobs, key)).toEqual(bytes(2));
  await rm(join(folder, 'data'), { recursive: true });
  await expect(blobs.write(fresh(newKey()))).rejects.toBeInstanceOf(StoreUnavailable);
  expect(await readdir(folder)).toEqual([]);
});

it('lets go of every file', async () => {
  const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const key = newKey();
  await store(blobs, key, bytes(3 * MIB));
  const before = await open();
  for await (const chunk of blobs.read(key)) if (chunk.length > 0) break;
  const writer = await blobs.write(fresh(newKey()));
  await writer.write(bytes(10));
  await writer[Symbol.asyncDispose]();
  await expect(read(blobs, newKey())).rejects.toBeInstanceOf(ObjectMissing);
  expect(await open()).toBe(before);
});

describe('an error of the system', () => {
  const failure = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'write' });

  it.each(['ENOSPC', 'EDQUOT'])('%s means that the store is full', (code) => {
    expect(diskError(failure(code), 'write')).toBeInstanceOf(StoreFull);
  });

  it.each(['EIO', 'EMFILE', 'ENFILE', 'EROFS', 'EACCES', 'ESTALE'])(
    '%s means that the store is unavailable',
    (code) => {
      const known = diskError(failure(code), 'write');
      expect(known).toBeInstanceOf(StoreUnavailable);
      expect((known.cause as NodeJS.ErrnoException).code).toBe(code);
    },
  );

  it('is not what a mistake in the program is', () => {
    const mistake = new TypeError('oops');
    expect(diskError(mistake, 'write')).toBe(mistake);
  });
});
