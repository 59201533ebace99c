/** One fault at each place of an upload, and stores that stay broken for a while. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newKey } from '../../src/blobs/keys.ts';
import { StoreUnavailable, type BlobStore, type UnfinishedObject } from '../../src/blobs/store.ts';
import { bytes, fresh, MIB, pour, read, saved } from '../contract/bytes.ts';
import { faults, type Operation } from '../harness/fake-s3.ts';
import { openOn, remains, useFakeS3 } from './s3-store.ts';

const fake = await useFakeS3({ pageSize: 2, checkSignatures: false });
const content = bytes(20 * MIB);

/** Operations of `upload`, and how often each is used when nothing goes wrong. */
const USED = {
  CreateMultipartUpload: 1,
  UploadPart: 4,
  PutObject: 1,
  GetObject: 1,
  CompleteMultipartUpload: 1,
  DeleteObject: 2,
};
const PLACES = (Object.entries(USED) as [Operation, number][]).flatMap(([operation, times]) =>
  (operation === 'UploadPart' ? [1, times] : [1]).map((nth) => ({ operation, nth })),
);
/** What the SDK repeats by itself. */
const PASSING = ['internalError', 'slowDown', 'resetBefore', 'resetAfter'] as const;
/** What it does not, or what makes everything slow. */
const HARDER = ['timeTooSkewed', 'expiredToken', 'stall', 'stallAfter'] as const;
const LASTING = ['internalError', 'resetAfter', 'expiredToken'] as const;

let patient: BlobStore;
let hasty: BlobStore;
let blobs: BlobStore;

beforeAll(async () => {
  patient = await openOn(fake);
  hasty = await openOn(fake, { timeout: 500 });
});

beforeEach(() => {
  blobs = patient;
});

afterEach(() => {
  fake.reset();
});

afterAll(async () => {
  await patient[Symbol.asyncDispose]();
  await hasty[Symbol.asyncDispose]();
});

/** Two requests, as an upload in two chunks: `row` is what Postgres would have when something fails. */
async function upload(row: { object: UnfinishedObject }): Promise<void> {
  if (row.object.size === 0) {
    await using writer = await blobs.write(row.object);
    await pour(writer, content.subarray(0, 9 * MIB));
    row.object = saved(await writer.suspend());
  }
  await using writer = await blobs.write(row.object);
  await pour(writer, content.subarray(row.object.size));
  await writer.finish();
}

async function expectRightAndDelete(key: string): Promise<void> {
  expect((await read(blobs, key)).equals(content)).toBe(true);
  fake.heal();
  await fake.idle();
  await blobs.delete(key);
  expect(remains(fake)).toEqual([]);
}

it('uses the operations that this file breaks', async () => {
  const row = { object: fresh(newKey()) };
  await upload(row);
  expect(fake.counts).toMatchObject(USED);
  await expectRightAndDelete(row.object.key);
});

describe.each(PLACES)('$operation number $nth', ({ operation, nth }) => {
  it.each(PASSING)('may suffer from %s', async (name) => {
    const row = { object: fresh(newKey()) };
    const fault = fake.fail({ operation, nth }, faults[name]);
    await upload(row);
    expect(fault.hits).toBe(1);
    await expectRightAndDelete(row.object.key);
  });

  it.each(HARDER)('may make the client come again: %s', async (name) => {
    if (faults[name].kind === 'stall') blobs = hasty;
    const row = { object: fresh(newKey()) };
    const fault = fake.fail({ operation, nth }, faults[name]);
    await upload(row).catch(async (error: unknown) => {
      expect(error).toBeInstanceOf(StoreUnavailable);
      await upload(row);
    });
    expect(fault.hits).toBe(1);
    await expectRightAndDelete(row.object.key);
  });
});

describe.each(Object.keys(USED) as Operation[])('%s', (operation) => {
  it.each(LASTING)('may suffer from %s for a while', async (name) => {
    const row = { object: fresh(newKey()) };
    const fault = fake.fail(operation, faults[name], Infinity);
    const outcome = await upload(row).catch((error: unknown) => error);
    expect(fault.hits).toBeGreaterThan(0);
    if (outcome !== undefined) {
      expect(outcome).toBeInstanceOf(StoreUnavailable);
      expect((fake.body(row.object.key) ?? content).equals(content)).toBe(true);
    }
    fake.heal();
    if (outcome !== undefined) await upload(row);
    await expectRightAndDelete(row.object.key);
  });
});

it('gives up on an answer that begins and does not end', async () => {
  blobs = hasty;
  const row = { object: fresh(newKey()) };
  const stuck = fake.fail('CreateMultipartUpload', { kind: 'hang', bytes: 10 }, Infinity);
  await expect(upload(row)).rejects.toBeInstanceOf(StoreUnavailable);
  expect(stuck.hits).toBeGreaterThan(0);
  fake.heal();
  await upload(row);
  fake.fail('ListMultipartUploads', { kind: 'hang', bytes: 10 }, Infinity);
  await expect(blobs.delete(row.object.key)).rejects.toBeInstanceOf(StoreUnavailable);
  await expectRightAndDelete(row.object.key);
});

describe('completing', () => {
  it.each(['errorInBody', 'errorInBodyButDone'] as const)('may answer 200 with an error: %s', async (name) => {
    const row = { object: fresh(newKey()) };
    fake.fail('CompleteMultipartUpload', faults[name], 2);
    await upload(row);
    await expectRightAndDelete(row.object.key);
  });

  it('may be done while nobody can tell', async () => {
    const row = { object: fresh(newKey()) };
    await using first = await blobs.write(row.object);
    await pour(first, content);
    row.object = saved(await first.suspend());
    const finish = async (): Promise<void> => {
      await using writer = await blobs.write(row.object);
      await writer.finish();
    };
    fake.fail('CompleteMultipartUpload', faults.resetAfter, Infinity);
    fake.fail('HeadObject', faults.internalError, Infinity);
    await expect(finish()).rejects.toBeInstanceOf(StoreUnavailable);
    fake.heal();
    await finish();
    await expectRightAndDelete(row.object.key);
  });

  it.each([
    ['not begin to answer', faults.stall],
    ['not begin to answer, though it is done', faults.stallAfter],
    ['never end its answer', { kind: 'hang', bytes: 10 }],
  ] as const)('may %s: nobody waits for more than a second attempt, and it can be done later', async (_, fault) => {
    blobs = hasty;
    const row = { object: fresh(newKey()) };
    const stuck = fake.fail('CompleteMultipartUpload', fault, Infinity);
    await upload(row).catch((error: unknown) => {
      expect(fault).toBe(faults.stall);
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect((error as Error).message).toMatch(/^complete .*: not done after \d+ ms$/);
    });
    expect(stuck.hits).toBeLessThanOrEqual(2);
    fake.heal();
    if (fault === faults.stall) await upload(row);
    await expectRightAndDelete(row.object.key);
  });

  it('is given up as well when S3 does not say whether it is done', async () => {
    blobs = hasty;
    const row = { object: fresh(newKey()) };
    const completing = fake.fail('CompleteMultipartUpload', faults.stall, Infinity);
    const asking = fake.fail('HeadObject', faults.stall, Infinity);
    await expect(upload(row)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(completing.hits).toBeLessThanOrEqual(2);
    expect(asking.hits).toBe(1);
    fake.heal();
    await upload(row);
    await expectRightAndDelete(row.object.key);
  });

  it('does not fail for a tail that cannot be removed', async () => {
    const row = { object: fresh(newKey()) };
    fake.fail('DeleteObject', faults.internalError, Infinity);
    await upload(row);
    fake.heal();
    await expectRightAndDelete(row.object.key);
  });
});

describe('reading', () => {
  const key = newKey();
  const put = async (): Promise<void> => {
    await using writer = await blobs.write(fresh(key));
    await pour(writer, content.subarray(0, 3 * MIB));
    await writer.finish();
  };

  it.each([0, 1, 65_536, 3 * MIB - 1])('goes on after a body that is cut at %i', async (at) => {
    await put();
    fake.fail('GetObject', { kind: 'cut', bytes: at });
    expect((await read(blobs, key)).equals(content.subarray(0, 3 * MIB))).toBe(true);
    fake.fail('GetObject', { kind: 'cut', bytes: at });
    const range = { start: 5, end: 3 * MIB - 1 };
    expect((await read(blobs, key, range)).equals(content.subarray(5, 3 * MIB))).toBe(true);
  });

  it.each([
    ['is always cut', { kind: 'cut', bytes: 1_000 }],
    ['always hangs', { kind: 'hang', bytes: 1_000 }],
  ] as const)('gives up when the body %s', async (_, fault) => {
    await put();
    blobs = hasty;
    fake.fail('GetObject', fault, Infinity);
    await expect(read(blobs, key)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('gives up when the object vanishes in the middle', async () => {
    await put();
    fake.fail('GetObject', { kind: 'cut', bytes: 1_000 });
    await expect(
      (async () => {
        for await (const chunk of blobs.read(key)) if (chunk.length > 0) await blobs.delete(key);
      })(),
    ).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('waits for a body that trickles', async () => {
    await put();
    fake.fail('GetObject', { kind: 'trickle', bytes: 10_000 });
    expect((await read(blobs, key)).equals(content.subarray(0, 3 * MIB))).toBe(true);
  });

  it('gives up when nothing answers', async () => {
    blobs = hasty;
    fake.fail('GetObject', faults.stall, Infinity);
    fake.fail('HeadObject', faults.stall, Infinity);
    await expect(read(blobs, key)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(blobs.size(key)).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

describe('deleting', () => {
  const open = async (key: string): Promise<void> => {
    await using writer = await blobs.write(fresh(key));
    await pour(writer, content.subarray(0, 9 * MIB));
    await writer.suspend();
  };

  it.each(['ListMultipartUploads', 'AbortMultipartUpload', 'DeleteObject'] as const)(
    'survives one failing %s',
    async (operation) => {
      const key = newKey();
      await open(key);
      fake.fail(operation, faults.internalError);
      fake.fail({ operation, nth: 2 }, faults.resetAfter);
      await blobs.delete(key);
      expect(remains(fake)).toEqual([]);
    },
  );

  it('fails while S3 does, and works afterwards', async () => {
    const key = newKey();
    await open(key);
    fake.fail('ListMultipartUploads', faults.slowDown, Infinity);
    await expect(blobs.delete(key)).rejects.toBeInstanceOf(StoreUnavailable);
    fake.heal();
    await blobs.delete(key);
    expect(remains(fake)).toEqual([]);
  });

  it('takes many with one request, and those that fail are left for another time', async () => {
    const keys = Array.from({ length: 4 }, newKey);
    for (const key of keys) await open(key);
    fake.counts.DeleteObject = 0;
    fake.fail('ListMultipartUploads', faults.expiredToken);
    const { gone, failure } = await blobs.deleteAll(keys);
    expect(failure).toBeInstanceOf(StoreUnavailable);
    expect(gone.length).toBe(3);
    expect(await blobs.deleteAll(keys)).toMatchObject({ failure: undefined });
    expect(fake.counts.DeleteObjects).toBe(2);
    expect(fake.counts.DeleteObject).toBe(0);
    expect(remains(fake)).toEqual([]);
  });

  it.each([
    ['an object', ''],
    ['a tail', '.tail1'],
  ])('does not take for gone what is left of it when %s stays', async (_, suffix) => {
    const keys = Array.from({ length: 3 }, newKey);
    for (const key of keys) await open(key);
    fake.fail(
      ({ operation, key }) => operation === 'DeleteObject' && key === `${keys[1]}${suffix}`,
      faults.internalError,
    );
    const { gone, failure } = await blobs.deleteAll(keys);
    expect(new Set(gone)).toEqual(new Set([keys[0], keys[2]]));
    expect(failure).toBeInstanceOf(StoreUnavailable);
    expect(await blobs.deleteAll(keys)).toMatchObject({ failure: undefined });
    expect(remains(fake)).toEqual([]);
  });

  it('takes them one by one where the server knows no other way, and does not ask again', async () => {
    await using own = await openOn(fake);
    blobs = own;
    fake.fail('DeleteObjects', { kind: 'refuse', status: 501, code: 'NotImplemented' }, Infinity);
    fake.counts.DeleteObject = 0;
    for (const round of [1, 2]) {
      const keys = Array.from({ length: 5 }, newKey);
      for (const key of keys) await open(key);
      expect(await blobs.deleteAll(keys)).toMatchObject({ failure: undefined });
      expect(fake.counts.DeleteObjects).toBe(1);
      expect(fake.counts.DeleteObject).toBe(round * 15);
    }
    expect(remains(fake)).toEqual([]);
  });

  it('fails for all while S3 does, and works afterwards', async () => {
    const keys = Array.from({ length: 5 }, newKey);
    for (const key of keys) await open(key);
    fake.fail('DeleteObjects', faults.slowDown, Infinity);
    expect(await blobs.deleteAll(keys)).toMatchObject({ gone: [], failure: expect.any(StoreUnavailable) as Error });
    fake.heal();
    expect(await blobs.deleteAll(keys)).toMatchObject({ failure: undefined });
    expect(remains(fake)).toEqual([]);
  });

  it('finds many uploads of one key, and leaves those of others', async () => {
    const key = newKey();
    const neighbour = `${key}0`;
    await open(neighbour);
    for (let n = 0; n < 5; n++) await open(key);
    const others = fake.uploads().filter((one) => one.key === neighbour);
    await blobs.delete(key);
    expect(fake.uploads()).toEqual(others);
  });
});
