/** Blobs that a door stores in one go, on disk and on S3: all of it, or nothing that anyone could find. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Principal } from '../../src/auth/principal.ts';
import type { Digest } from '../../src/blobs/digest.ts';
import { INSTANCE_KEY } from '../../src/blobs/keys.ts';
import { sweepDeadObjects } from '../../src/blobs/sweep.ts';
import { findBlob } from '../../src/registry/blobs.ts';
import { parseRepositoryPath } from '../../src/registry/names.ts';
import { ensureRepository, type Repository } from '../../src/registry/repositories.ts';
import { storeBlob, type NewBlob } from '../../src/registry/uploads.ts';
import { testHub, type TestHub } from '../harness/hub.ts';
import { keysOnDisk } from '../harness/leftovers.ts';
import { blob, digestOf, unique, type Blob } from '../harness/oci-client.ts';

const MIB = 2 ** 20;
const LIMIT = 20 * MIB;

describe.each(['disk', 's3'] as const)('storeBlob on %s', async (kind) => {
  const hub = await testHub({ store: kind, config: { limits: { blob: LIMIT } } });
  const { registry } = hub.context;
  const admin = await administrator(hub);
  const path = parseRepositoryPath(`${await hub.project()}/app`)!;
  const repository = await ensureRepository(
    registry,
    await registry.scenes.resolve({ path, principalId: admin.id }),
    path,
    admin,
    'test',
  );
  const store = (body: NewBlob['body'], more: Omit<NewBlob, 'body'> = {}) =>
    storeBlob(registry, { repository, principal: admin, requestId: unique(), body, ...more });
  const sha512 = (of: Blob) => digestOf(of.bytes, 'sha512') as Digest;

  /** What is stored when the sweep has been through. */
  async function settledKeys(): Promise<string[]> {
    await sweepDeadObjects(hub.db, registry.store);
    expect(await hub.db.query(sql`select key from dead_objects`)).toEqual([]);
    return keysOf(hub);
  }

  /** Nothing was committed, and once the sweep has run nothing is stored either. */
  async function expectNothing(before: readonly string[], of: Blob): Promise<void> {
    expect(await findBlob(registry, repository, of.digest as Digest, false)).toBeUndefined();
    expect(await hub.db.query(sql`select id from uploads`)).toEqual([]);
    expect(await settledKeys()).toEqual(before);
  }

  it.each([0, 1, 100_000, 8 * MIB, 9 * MIB, LIMIT])('keeps %i bytes and tells their digest', async (size) => {
    const content = blob(size);
    expect(await store(inChunks(content))).toEqual({ digest: content.digest, size });
    expect((await pulled(hub, repository, content.digest)).equals(content.bytes)).toBe(true);
  });

  it('takes the length and the digest where the sender knows them', async () => {
    const content = blob(9 * MIB);
    const known = { length: content.size, digest: content.digest as Digest };
    expect(await store(inChunks(content), known)).toEqual({ digest: content.digest, size: content.size });
    expect(await store(inChunks(content), { digest: sha512(content) })).toMatchObject({ digest: sha512(content) });
    for (const digest of [content.digest, sha512(content)]) {
      expect((await pulled(hub, repository, digest)).equals(content.bytes)).toBe(true);
    }
  });

  it.each([1_000, 40_000, 65_536, 9 * MIB])('leaves a buffer of %i bytes to who gave it', async (size) => {
    const content = blob(size);
    const given = Buffer.alloc(size, content.bytes);
    expect(await store(given)).toEqual({ digest: content.digest, size });
    expect(given.equals(content.bytes)).toBe(true);
  });

  it('keeps equal content once', async () => {
    const content = blob(9 * MIB);
    await store(inChunks(content));
    const before = await settledKeys();
    expect(await store(inChunks(content))).toEqual({ digest: content.digest, size: content.size });
    expect(await settledKeys()).toEqual(before);
  });

  it.each([10, 9 * MIB])('leaves nothing of %i bytes that are not what was said', async (size) => {
    const before = await settledKeys();
    const content = blob(size);
    const other = blob(10);
    for (const digest of [other.digest as Digest, sha512(other)]) {
      await expect(store(inChunks(content), { digest })).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    }
    await expectNothing(before, content);
  });

  it('leaves nothing of what turns out to be too large', async () => {
    const before = await settledKeys();
    const content = blob(LIMIT + 1);
    await expect(store(inChunks(content))).rejects.toMatchObject({ code: 'BLOB_TOO_LARGE' });
    await expectNothing(before, content);
  });

  it('does not begin with what says itself that it is too large', async () => {
    const before = await settledKeys();
    let asked = false;
    async function* body(): AsyncGenerator<Buffer> {
      asked = true;
      yield Buffer.alloc(1);
    }
    await expect(store(body(), { length: LIMIT + 1 })).rejects.toMatchObject({ code: 'BLOB_TOO_LARGE' });
    expect(asked).toBe(false);
    expect(await settledKeys()).toEqual(before);
  });

  it.each([0, 100, 9 * MIB])('leaves nothing of a body that breaks off after %i bytes', async (size) => {
    const before = await settledKeys();
    const content = blob(10 * MIB);
    async function* body(): AsyncGenerator<Buffer> {
      yield* inChunks({ bytes: content.bytes.subarray(0, size) });
      throw new Error('the sender has gone');
    }
    await expect(store(body())).rejects.toThrow('the sender has gone');
    await expectNothing(before, content);
  });
});

async function administrator(hub: TestHub): Promise<Principal> {
  const row = await hub.db.first<{ id: number }>(sql`select id from principals where name = 'admin'`);
  return { ...ANONYMOUS, kind: 'user', id: row!.id, name: 'admin', admin: true, credential: 'password' };
}

async function pulled(hub: TestHub, repository: Repository, digest: string): Promise<Buffer> {
  const answer = await hub.admin.repo(repository.path).getBlob(digest);
  expect(answer.status).toBe(200);
  return answer.body;
}

/** As a request brings them: each with memory of its own, which is given back when it is stored. */
async function* inChunks({ bytes }: Pick<Blob, 'bytes'>): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield Buffer.from(bytes.subarray(at, at + 65_536));
}

/** Everything that is stored, but for the hub's own mark. */
async function keysOf({ s3, config }: TestHub): Promise<string[]> {
  if (config.store.kind === 'disk') return (await keysOnDisk(config.store.folder)).sort();
  return [...s3!.objects().filter((key) => key !== INSTANCE_KEY), ...s3!.uploads().map(({ uploadId }) => uploadId)];
}
