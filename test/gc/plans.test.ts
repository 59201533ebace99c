import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/blobs/open.ts';
import { digestToBytes, type Digest } from '../../src/blobs/digest.ts';
import { collect, sweepBytes } from '../../src/registry/gc/collect.ts';
import { previewCollection } from '../../src/registry/gc/preview.ts';
import type { Collecting } from '../../src/registry/gc/run.ts';
import { lookUpsOnly } from '../../src/db/background.ts';
import { openDatabase } from '../../src/db/database.ts';
import { testHub } from '../harness/hub.ts';
import { artifact, blob, image, index } from '../harness/oci-client.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 86_400, lease: 0 } } });

/** Runs `work` on a connection of its own; returns the tables that it scanned from end to end. */
async function scanned(work: (world: Collecting) => Promise<unknown>): Promise<string[]> {
  const { database } = hub.config;
  const db = openDatabase({
    connectionString: database.kind === 'external' ? database.url : '',
    maxConnections: 1,
    applicationName: 'berth-test',
    onIdleError: () => {},
  });
  const { store } = await openStore(hub.config.store);
  const scans = async () => {
    await db.query(sql`select pg_stat_force_next_flush()`);
    const rows = await db.query<{ name: string; scans: number }>(sql`
      select relname as name, seq_scan as scans from pg_stat_user_tables where relname !~ '^(gc_|going_|gone_)'`);
    return new Map(rows.map((row) => [row.name, row.scans]));
  };
  try {
    const before = await scans();
    await work({ db, store, clocks: hub.config.gc });
    const after = await scans();
    return [...after].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name);
  } finally {
    await store[Symbol.asyncDispose]();
    await db[Symbol.asyncDispose]();
  }
}

/** Something for every step. */
async function fill(): Promise<void> {
  const repo = await hub.repo();
  await repo.mustPush(blob());
  const subject = image();
  await repo.mustPushImage(subject);
  await repo.mustPushImage(artifact({ subject: subject.manifest }));
  const child = image();
  await repo.mustPushImage(child);
  const parent = index([child.manifest]);
  await repo.mustPut(parent);
  for (const { digest } of [subject.manifest, parent, child.manifest]) await repo.deleteManifest(digest);
}

describe('what collecting costs does not depend on how much is stored:', () => {
  it('a run scans no table, however small it is', async () => {
    await fill();
    expect(await scanned((world) => collect(world, { sweep: false }))).toEqual([]);
    await hub.db.transaction(async (tx) => {
      await lookUpsOnly(tx);
      await tx.query(sql`update dead_objects set delete_after = now() where delete_after > now()`);
    });
    // Known to be so small that a scan would be cheaper.
    await hub.db.query(sql`analyze dead_objects`);
    const tables = await scanned(async (world) => expect((await sweepBytes(world)).objects).toBeGreaterThan(0));
    expect(tables).toEqual([]);
  });

  it('a preview scans none', async () => {
    await fill();
    const tables = await scanned(async (world) => {
      const counts = await previewCollection(world);
      expect(Math.min(counts.manifests, counts.links, counts.blobs)).toBeGreaterThan(0);
    });
    expect(tables.filter((name) => name !== 'dead_objects')).toEqual([]);
    await collect(hub.context.registry);
  });
});

describe('what was here before the queues', () => {
  it('is looked through once, and what has no use goes', async () => {
    const repo = await hub.repo();
    const [lonely, deleted] = [blob(), blob()];
    const kept = image();
    for (const each of [lonely, deleted]) await repo.mustPush(each);
    await repo.mustPushImage(kept, 'v1');
    await hub.db.query(sql`
      update repository_blobs set deleted_at = now()
      where blob_id = (select id from blobs where digest = ${digestToBytes(deleted.digest as Digest)})`);
    await hub.db.query(sql`delete from link_reviews`);
    expect((await collect(hub.context.registry)).links, 'nothing waits').toBe(0);
    await hub.db.query(sql`
      update gc_state set backfill_repository = 0, backfill_blob = 0, backfilled_at = null`);
    expect((await collect(hub.context.registry)).links).toBe(2);
    await repo.mustPull('v1');
    const [state] = await hub.db.query<{ over: boolean }>(sql`select backfilled_at is not null as over from gc_state`);
    expect(state?.over).toBe(true);
  });
});
