/** What every store promises (src/blobs/store.ts). Each implementation runs this suite, and so does each real server. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../src/blobs/keys.ts';
import { ObjectMissing, type BlobStore, type UnfinishedObject } from '../../src/blobs/store.ts';
import { describeInterruptions } from './blob-store-interruptions.ts';
import { describeSequences } from './blob-store-sequences.ts';
import { bytes, fresh, KIB, MIB, pour, read, store } from './bytes.ts';

/** A place for bytes, and ways to look at it. */
export interface Subject extends AsyncDisposable {
  /** Another instance on the same bytes, as another process would open it. */
  open(): Promise<BlobStore>;
  /** Names of everything that is stored: objects, tails, open uploads. */
  remains(): Promise<string[]>;
  /**
   * An upload that lost bytes which had been sent already may have to start again, instead of going on with other
   * ones: Ceph completes an upload only with all parts that it ever got.
   */
  readonly mayStartAgain?: boolean;
}

const SIZES = [0, 1, 64 * KIB - 1, 64 * KIB + 1, MIB - 1, MIB, MIB + 1].concat([
  5 * MIB - 1,
  5 * MIB,
  5 * MIB + 1,
  8 * MIB - 1,
  8 * MIB,
  8 * MIB + 1,
  20 * MIB,
]);

export function describeBlobStore(name: string, prepare: () => Promise<Subject>): void {
  // oxlint-disable-next-line vitest/valid-title
  describe(name, () => {
    let subject: Subject;
    let blobs: BlobStore;
    const opened: BlobStore[] = [];
    const another = async (): Promise<BlobStore> => {
      const instance = await subject.open();
      opened.push(instance);
      return instance;
    };

    beforeAll(async () => {
      subject = await prepare();
      blobs = await another();
    });

    afterEach(async () => {
      expect(await subject.remains()).toEqual([]);
    });

    afterAll(async () => {
      for (const instance of opened) await instance[Symbol.asyncDispose]();
      await subject[Symbol.asyncDispose]();
    });

    describe('an object', () => {
      it.each(SIZES)('of %i bytes comes back as it was written', async (size) => {
        const key = newKey();
        const content = bytes(size);
        await store(blobs, key, content);
        expect(await blobs.size(key)).toBe(size);
        expect((await read(blobs, key)).equals(content)).toBe(true);
        await blobs.delete(key);
      });

      it.each([0, 1, 100 * KIB, 9 * MIB])('is right when %i bytes were announced and others came', async (expected) => {
        const key = newKey();
        const content = bytes(3 * MIB);
        await store(blobs, key, content, expected);
        expect((await read(blobs, key)).equals(content)).toBe(true);
        await blobs.delete(key);
      });

      it('gives any range', async () => {
        const key = newKey();
        const content = bytes(9 * MIB + 5);
        await store(blobs, key, content, content.length);
        const ends = [0, 65_535, MIB, 8 * MIB - 1, 8 * MIB, content.length - 1];
        for (const start of ends) {
          for (const end of ends.filter((other) => other >= start)) {
            expect((await read(blobs, key, { start, end })).equals(content.subarray(start, end + 1))).toBe(true);
          }
        }
        await blobs.delete(key);
      });

      it('can be read many times at once, and left in the middle', async () => {
        const key = newKey();
        const content = bytes(4 * MIB + 1);
        await store(blobs, key, content);
        const whole = Array.from({ length: 8 }, () => read(blobs, key));
        const partial = Array.from({ length: 8 }, async () => {
          for await (const chunk of blobs.read(key)) return chunk.equals(content.subarray(0, chunk.length));
          return false;
        });
        for (const copy of await Promise.all(whole)) expect(copy.equals(content)).toBe(true);
        expect(await Promise.all(partial)).toEqual(Array(8).fill(true));
        await blobs.delete(key);
      });

      it('is seen by other instances once it is finished', async () => {
        const key = newKey();
        await store(blobs, key, bytes(10));
        const other = await another();
        expect(await read(other, key)).toEqual(bytes(10));
        await other.delete(key);
        expect(await blobs.size(key)).toBeUndefined();
      });
    });

    describe('many objects', () => {
      it('go at once, those that are missing among them, and no other', async () => {
        const keys = Array.from({ length: 40 }, newKey);
        await Promise.all(keys.map((key) => store(blobs, key, bytes(10))));
        const kept = keys.pop() as string;
        const missing = newKey();
        const { gone, failure } = await blobs.deleteAll([...keys, missing]);
        expect(failure).toBeUndefined();
        expect(new Set(gone)).toEqual(new Set([...keys, missing]));
        expect(await Promise.all(keys.map((key) => blobs.size(key)))).toEqual(keys.map(() => undefined));
        expect(await blobs.size(kept)).toBe(10);
        await blobs.delete(kept);
      });
    });

    describe('a missing object', () => {
      it('has no size and cannot be read', async () => {
        const key = newKey();
        expect(await blobs.size(key)).toBeUndefined();
        await expect(read(blobs, key)).rejects.toBeInstanceOf(ObjectMissing);
        await expect(read(blobs, key, { start: 0, end: 0 })).rejects.toBeInstanceOf(ObjectMissing);
      });

      it('can be deleted', async () => {
        const key = newKey();
        await blobs.delete(key);
        await blobs.delete(key);
      });

      it.each([MIB, 9 * MIB])('cannot be continued after %i bytes', async (size) => {
        const object = await suspended(blobs, size);
        await blobs.delete(object.key);
        await expect(
          (async () => {
            await using writer = await blobs.write(object);
            await writer.finish();
          })(),
        ).rejects.toBeInstanceOf(ObjectMissing);
        await expect(
          (async () => {
            await using writer = await blobs.write(object);
            await pour(writer, bytes(9 * MIB));
            await writer.finish();
          })(),
        ).rejects.toBeInstanceOf(ObjectMissing);
        await blobs.delete(object.key);
      });
    });

    describe('deleting leaves nothing', () => {
      it.each([1, 7 * MIB, 20 * MIB])('of a suspended object of %i bytes', async (size) => {
        const { key } = await suspended(blobs, size);
        await blobs.delete(key);
        expect(await subject.remains()).toEqual([]);
        await blobs.delete(key);
      });

      it.each([1, 7 * MIB, 20 * MIB])('of an object that was dropped after %i bytes', async (size) => {
        const key = newKey();
        {
          await using writer = await blobs.write(fresh(key));
          await pour(writer, bytes(size));
        }
        await blobs.delete(key);
      });
    });

    describe('a writer', () => {
      it('gives the memory of a chunk back, unless it is a piece of something else', async () => {
        const key = newKey();
        const [alone, part] = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')];
        await using writer = await blobs.write(fresh(key));
        await writer.write(alone);
        await writer.write(part.subarray(1));
        await writer.finish();
        expect([alone.buffer.byteLength, part.buffer.byteLength]).toEqual([0, 100_000]);
        const stored = await read(blobs, key);
        expect(stored.equals(Buffer.concat([Buffer.alloc(100_000, 'a'), part.subarray(1)]))).toBe(true);
        await blobs.delete(key);
      });

      it('cannot be used after the end', async () => {
        const key = newKey();
        const writer = await blobs.write(fresh(key));
        await writer.write(bytes(10));
        await writer.finish();
        await expect(writer.write(bytes(1))).rejects.toThrow('used up');
        await expect(writer.suspend()).rejects.toThrow('used up');
        await expect(writer.finish()).rejects.toThrow('used up');
        await writer[Symbol.asyncDispose]();
        await writer[Symbol.asyncDispose]();
        expect(await read(blobs, key)).toEqual(bytes(10));
        await blobs.delete(key);
      });

      it('takes many small chunks', async () => {
        const key = newKey();
        const content = bytes(20_000);
        {
          await using writer = await blobs.write(fresh(key));
          await pour(writer, content, 3);
          await writer.finish();
        }
        expect(await read(blobs, key)).toEqual(content);
        await blobs.delete(key);
      });

      it('works beside many others', async () => {
        const keys = Array.from({ length: 24 }, () => newKey());
        const content = (index: number) => bytes(index % 3 === 0 ? 9 * MIB : 100_000 * index, index);
        await Promise.all(keys.map((key, index) => store(blobs, key, content(index))));
        for (const [index, key] of keys.entries()) expect((await read(blobs, key)).equals(content(index))).toBe(true);
        await Promise.all(keys.map((key) => blobs.delete(key)));
      });
    });

    it('checks itself and leaves nothing behind', async () => {
      await blobs.check();
    });

    describeInterruptions(another, () => subject);
    describeSequences(another, () => subject);
  });
}

async function suspended(blobs: BlobStore, size: number): Promise<UnfinishedObject> {
  await using writer = await blobs.write(fresh(newKey()));
  await pour(writer, bytes(size));
  return await writer.suspend();
}
