/** More uploads than there is memory for. */
import { expect, it } from 'vitest';
import { newKey } from '../../src/blobs/keys.ts';
import { StoreUnavailable } from '../../src/blobs/store.ts';
import { bytes, fresh, MIB, pour, read, saved, store } from '../contract/bytes.ts';
import { faults } from '../harness/fake-s3.ts';
import { openOn, remains, useFakeS3 } from './s3-store.ts';

const fake = await useFakeS3();
const TWO_PARTS = { memoryBytes: 16 * MIB, patience: 50 };

it('lets 16 uploads through the memory of two parts', async () => {
  await using blobs = await openOn(fake, { ...TWO_PARTS, timeout: 5_000 });
  const keys = Array.from({ length: 16 }, () => newKey());
  const content = bytes(9 * MIB);
  await Promise.all(keys.map((key) => store(blobs, key, content)));
  for (const key of keys) expect(fake.body(key)?.equals(content)).toBe(true);
  await Promise.all(keys.map((key) => blobs.delete(key)));
  expect(remains(fake)).toEqual([]);
});

it('does not let clients that stopped sending hold up the others', async () => {
  await using blobs = await openOn(fake, TWO_PARTS);
  const content = bytes(10 * MIB);
  const slow = [newKey(), newKey(), newKey()];
  // Each starts a part and leaves it: the third gets its buffer only because the first makes way.
  const writers = await Promise.all(slow.map((key) => blobs.write(fresh(key))));
  for (const writer of writers) await writer.write(content.subarray(0, 3));
  const fast = newKey();
  await store(blobs, fast, content);
  // They go on as if nothing had happened: to finish, to suspend, and to do so without another byte.
  const [finishing, suspending, idle] = writers as [(typeof writers)[0], (typeof writers)[0], (typeof writers)[0]];
  await pour(finishing, content.subarray(3));
  await finishing.finish();
  await pour(suspending, content.subarray(3, MIB));
  const states = [saved(await suspending.suspend()), saved(await idle.suspend())];
  for (const state of states) {
    await using writer = await blobs.write(state);
    await pour(writer, content.subarray(state.size));
    await writer.finish();
  }
  expect(fake.objects()).toEqual([fast, ...slow].sort());
  for (const key of [fast, ...slow]) {
    expect((await read(blobs, key)).equals(content)).toBe(true);
    await blobs.delete(key);
  }
  expect(remains(fake)).toEqual([]);
});

it('fails a writer whose bytes cannot be set aside, and nobody else', async () => {
  await using blobs = await openOn(fake, TWO_PARTS);
  const [one, other, third] = await Promise.all([newKey(), newKey(), newKey()].map((key) => blobs.write(fresh(key))));
  await one?.write(bytes(1));
  await other?.write(bytes(1));
  fake.fail('PutObject', faults.expiredToken);
  await third?.write(bytes(1));
  await third?.finish();
  await expect(one?.write(bytes(1))).rejects.toBeInstanceOf(StoreUnavailable);
  await other?.finish();
  await one?.[Symbol.asyncDispose]();
  fake.reset();
});

it('gives its place up when the client goes away while it waits', async () => {
  await using blobs = await openOn(fake, { memoryBytes: 16 * MIB, patience: 600_000 });
  const writers = await Promise.all([newKey(), newKey(), newKey()].map((key) => blobs.write(fresh(key))));
  for (const writer of writers.slice(0, 2)) await writer.write(bytes(1));
  const waiting = writers[2]?.write(bytes(1)).catch((error: unknown) => error);
  await writers[2]?.[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ message: expect.stringMatching('let go') });
  for (const writer of writers) await writer[Symbol.asyncDispose]();
  await store(blobs, newKey(), bytes(9 * MIB));
  fake.reset();
});

it('reads without leaving garbage behind', async () => {
  await using blobs = await openOn(fake, {});
  const key = newKey();
  await store(blobs, key, bytes(64 * MIB));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  // Nothing else in the loop, so that there is no reason to collect garbage.
  for await (const _ of blobs.read(key)) most = Math.max(most, process.memoryUsage().arrayBuffers);
  expect(most - before).toBeLessThan(8 * MIB);
  await blobs.delete(key);
});
