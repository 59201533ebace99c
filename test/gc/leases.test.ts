import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { digestToBytes, type Digest } from '../../src/blobs/digest.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image } from '../harness/oci-client.ts';

const LEASE = 1_000;
const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: LEASE } } });
const { db } = hub;

/** Seconds that the link of the only repository with the blob has left. */
async function leaseOf(digest: string): Promise<number> {
  const row = await db.first<{ left: number }>(sql`
    select extract(epoch from rb.leased_until - now())::float8 as left
    from repository_blobs rb join blobs b on b.id = rb.blob_id where b.digest = ${digestToBytes(digest as Digest)}`);
  return row?.left ?? 0;
}

async function setLease(seconds: number): Promise<void> {
  await db.query(sql`update repository_blobs set leased_until = now() + make_interval(secs => ${seconds})`);
  await db.query(sql`update manifests set leased_until = now() + make_interval(secs => ${seconds})`);
  await db.query(sql`update link_reviews set review_after = now()`);
  // As another replica's request would find it: nothing is remembered.
  await db.query(sql`update repositories set epoch = epoch + 1`);
}

describe('an answer to somebody who may push', () => {
  it('keeps a blob for the time of a lease: a push, HEAD and GET', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    expect(Math.round(await leaseOf(content.digest))).toBe(LEASE);
    for (const ask of [() => repo.headBlob(content.digest), () => repo.getBlob(content.digest)]) {
      await setLease(LEASE / 2 - 10);
      expectStatus(await ask(), 200);
      expect(Math.round(await leaseOf(content.digest))).toBe(LEASE);
    }
    expect((await collect(hub.context.registry)).links).toBe(0);
    const due = await db.query(sql`select 1 from link_reviews where review_after <= now()`);
    expect(due, 'it is looked at again when its lease is over, not before').toEqual([]);
    await setLease(0);
    await repo.mustPush(content);
    expect(Math.round(await leaseOf(content.digest))).toBe(LEASE);
    expect((await collect(hub.context.registry)).links).toBe(0);
    await setLease(0);
    expect((await collect(hub.context.registry)).links).toBe(1);
  });

  it('writes nothing while more than half of it is left', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    await setLease(LEASE / 2 + 100);
    expectStatus(await repo.headBlob(content.digest), 200);
    expect(Math.round(await leaseOf(content.digest))).toBe(LEASE / 2 + 100);
  });

  it('keeps a manifest from rules for as long', async () => {
    const repo = await hub.repo();
    const content = image();
    await repo.mustPushImage(content, 'v1');
    const left = async () => {
      const row = await db.first<{ left: number }>(sql`
        select extract(epoch from leased_until - now())::float8 as left from manifests
        where digest = ${digestToBytes(content.manifest.digest as Digest)}`);
      return Math.round(row?.left ?? 0);
    };
    expect(await left()).toBe(LEASE);
    for (const ask of [() => repo.headManifest('v1'), () => repo.getManifest(content.manifest.digest)]) {
      await setLease(10);
      expectStatus(await ask(), 200);
      expect(await left()).toBe(LEASE);
    }
    await setLease(LEASE / 2 + 100);
    expectStatus(await repo.headManifest('v1'), 200);
    expect(await left()).toBe(LEASE / 2 + 100);
  });
});

describe('an answer to somebody who may only pull', () => {
  it('promises nothing', async () => {
    const reader = await hub.person();
    const project = await hub.project({ grants: { [reader.name]: 'reader' } });
    const repo = hub.admin.repo(`${project}/app`);
    const content = image();
    await repo.mustPushImage(content, 'v1');
    await setLease(10);
    const theirs = reader.client.repo(repo.name);
    const [layer] = content.blobs;
    expectStatus(await theirs.getManifest('v1'), 200);
    expectStatus(await theirs.headBlob(layer?.digest ?? ''), 200);
    expectStatus(await theirs.getBlob(layer?.digest ?? ''), 200);
    expect(await leaseOf(layer?.digest ?? '')).toBeLessThanOrEqual(10);
  });
});
