/** Random lives of an upload against the simplest model: a buffer that is cut back to the last saved state. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newKey } from '../../src/blobs/keys.ts';
import { ObjectMissing, type BlobStore, type UnfinishedObject } from '../../src/blobs/store.ts';
import type { Subject } from './blob-store.ts';
import { bytes, fresh, MIB, pour, read, saved } from './bytes.ts';

const RUNS = 12;
const SIZES = [0, 1, 1_000, 3 * MIB, 5 * MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1];

const turn = fc.record({
  sizes: fc.array(fc.constantFrom(...SIZES), { maxLength: 3 }),
  announced: fc.boolean(),
  /** A lost turn was suspended, but nobody lived to save that. */
  end: fc.constantFrom('save' as const, 'save' as const, 'lose' as const, 'drop' as const),
});

export function describeSequences(another: () => Promise<BlobStore>, subject: () => Subject): void {
  it('keeps its bytes through any sequence of turns', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(fc.array(turn, { maxLength: 5 }), fc.boolean(), async (turns, endsEmpty) => {
      const key = newKey();
      const model: Buffer[] = [];
      let object = fresh(key);
      let seed = 0;
      for (const { sizes, announced, end } of turns) {
        const content = Buffer.concat(sizes.map((size) => bytes(size, ++seed)));
        await using writer = await (await another()).write(object, announced ? content.length : undefined);
        await pour(writer, content, 700_001);
        const state = end === 'drop' ? undefined : await writer.suspend();
        if (state === undefined || end === 'lose') continue;
        object = saved(state);
        model.push(content);
      }
      const rest = endsEmpty ? Buffer.alloc(0) : bytes(2 * MIB, 99);
      const blobs = await another();
      const right = await complete(blobs, object, rest).catch((error: unknown) => {
        if (!(error instanceof ObjectMissing && subject().mayStartAgain)) throw error;
      });
      if (right) expect((await read(blobs, key)).equals(Buffer.concat([...model, rest]))).toBe(true);
      await blobs.delete(key);
    });
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  });
}

async function complete(blobs: BlobStore, object: UnfinishedObject, rest: Buffer): Promise<true> {
  await using writer = await blobs.write(object);
  await pour(writer, rest);
  await writer.finish();
  return true;
}
