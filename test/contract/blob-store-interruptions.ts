/** Uploads that pause, change hands, or lose the process that wrote them. */
import { describe, expect, it } from 'vitest';
import { newKey } from '../../src/blobs/keys.ts';
import { ObjectMissing, type BlobStore, type UnfinishedObject } from '../../src/blobs/store.ts';
import type { Subject } from './blob-store.ts';
import { bytes, fresh, MIB, pour, read, saved } from './bytes.ts';

const ODD_PLACES = [
  [1, 5 * MIB - 1, 5 * MIB],
  [3 * MIB, 6 * MIB, 9 * MIB],
  [8 * MIB],
  [8 * MIB + 1, 16 * MIB + 1],
  [0, 13 * MIB],
];
const TOTAL = 17 * MIB;

export function describeInterruptions(another: () => Promise<BlobStore>, subject: () => Subject): void {
  /** Goes on from `object` to byte `end` with a new instance, as another replica would, and suspends. */
  const advance = async (object: UnfinishedObject, content: Buffer, end: number): Promise<UnfinishedObject> => {
    await using writer = await (await another()).write(object);
    await pour(writer, content.subarray(object.size, end));
    return saved(await writer.suspend());
  };
  const complete = async (object: UnfinishedObject, content: Buffer): Promise<void> => {
    await using writer = await (await another()).write(object);
    await pour(writer, content.subarray(object.size), 1_000_003);
    await writer.finish();
  };
  const expectWhole = async (key: string, content: Buffer): Promise<void> => {
    const blobs = await another();
    expect(await blobs.size(key)).toBe(content.length);
    expect((await read(blobs, key)).equals(content)).toBe(true);
    await blobs.delete(key);
  };

  const expectNothingElse = async (key: string): Promise<void> => {
    const names = await subject().remains();
    expect(names.map((name) => key.endsWith(name))).toEqual([true]);
  };

  describe('an upload', () => {
    it.each(ODD_PLACES)('goes on after a pause at %i, %i, %i', async (...places) => {
      const content = bytes(TOTAL);
      let object = fresh(newKey());
      for (const place of places.filter(Number.isInteger)) {
        object = await advance(object, content, place);
        expect(object.size).toBe(place);
      }
      await complete(object, content);
      await expectNothingElse(object.key);
      await expectWhole(object.key, content);
    });

    it.each([0, 1, 5 * MIB, 8 * MIB, 8 * MIB + 1, 13 * MIB, 16 * MIB])(
      'of %i bytes finishes without another byte',
      async (size) => {
        const content = bytes(size);
        const object = await advance(fresh(newKey()), content, size);
        await complete(object, content);
        await expectNothingElse(object.key);
        await expectWhole(object.key, content);
      },
    );

    it('may pause without a new byte', async () => {
      const content = bytes(10 * MIB);
      let object = await advance(fresh(newKey()), content, 9 * MIB);
      object = await advance(object, content, 9 * MIB);
      object = await advance(object, content, 9 * MIB);
      expect(object.size).toBe(9 * MIB);
      await complete(object, content);
      await expectWhole(object.key, content);
    });

    it('takes very many small turns', async () => {
      const content = bytes(40_000);
      let object = fresh(newKey());
      for (let end = 1_000; end <= content.length; end += 2_000) object = await advance(object, content, end);
      await complete(object, content);
      await expectWhole(object.key, content);
    });
  });

  describe('a process that dies', () => {
    /** Writes up to `end` and dies: nothing of it was acknowledged. */
    const die = async (object: UnfinishedObject, content: Buffer, end: number): Promise<void> => {
      await using writer = await (await another()).write(object);
      await pour(writer, content.subarray(object.size, end));
    };

    it.each([0, 3 * MIB, 9 * MIB])('loses only what came after its last state, at %i', async (place) => {
      const content = bytes(TOTAL);
      const others = bytes(TOTAL, 1);
      let object = fresh(newKey());
      if (place > 0) object = await advance(object, content, place);
      await die(object, others, place + 12 * MIB);
      await die(object, others, place + 1);
      await complete(object, content);
      await expectWhole(object.key, content);
    });

    it.each([0, 1, 3 * MIB, 9 * MIB])('may have saved nothing of what it suspended, at %i', async (place) => {
      const content = bytes(TOTAL);
      const others = bytes(TOTAL, 1);
      let object = fresh(newKey());
      if (place > 0) object = await advance(object, content, place);
      await advance(object, others, place + MIB);
      await advance(object, others, place + 11 * MIB);
      object = await advance(object, content, place + 2 * MIB);
      await advance(object, others, place + 3 * MIB);
      await complete(object, content);
      await expectWhole(object.key, content);
    });

    it.each([3 * MIB, 9 * MIB, 16 * MIB])(
      'may have gone on, at %i, with bytes that nobody will send again',
      async (size) => {
        const content = bytes(size);
        const object = await advance(fresh(newKey()), content, size);
        await advance(object, bytes(size + MIB, 1), size + MIB);
        await die(object, bytes(size + 9 * MIB, 1), size + 9 * MIB);
        try {
          await complete(object, content);
          await expectWhole(object.key, content);
        } catch (error) {
          if (!(error instanceof ObjectMissing && subject().mayStartAgain)) throw error;
          await (await another()).delete(object.key);
        }
      },
    );

    it.each([0, 3 * MIB, 8 * MIB, 9 * MIB, 16 * MIB])('may have finished before, at %i', async (size) => {
      const content = bytes(size);
      const object = await advance(fresh(newKey()), content, size);
      await complete(object, content);
      await complete(object, content);
      await expectWhole(object.key, content);
    });
  });
}
