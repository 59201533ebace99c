import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/blobs/store.ts';
import { sweepDeadObjects } from '../../src/blobs/sweep.ts';
import { collect, sweepBytes } from '../../src/registry/gc/collect.ts';
import { runCollectJob, runSweepJob, type CollectJob } from '../../src/registry/gc/jobs.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, type Answer } from '../harness/oci-client.ts';
import { brake, untilWaiting } from '../races/brake.ts';

const hub = await testHub({ store: 's3', config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const { db } = hub;
const registry = hub.context.registry;

interface Report {
  readonly id: string;
  readonly cause: string;
  readonly state: string;
  readonly requested_by: string | null;
  readonly links: number;
  readonly objects: number;
  readonly object_bytes: number;
}

async function runs(query = ''): Promise<{ items: Report[]; next_cursor?: string }> {
  return expectStatus(await hub.api('GET', `/gc/runs${query}`), 200).json();
}

async function objects(): Promise<number> {
  const row = await db.first<{ count: number }>(sql`select count(*) as count from blobs`);
  return row?.count ?? 0;
}

describe('GET /gc', () => {
  it('says what waits', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    const state = expectStatus(await hub.api('GET', '/gc'), 200).json<{
      links: { waiting: number; due: number; oldest_due: string | null };
      clocks: Record<string, number>;
      running: boolean;
    }>();
    expect(state).toMatchObject({ links: { waiting: 1, due: 1 }, running: false, clocks: { lease_seconds: 0 } });
    expect(state.links.oldest_due).toEqual(expect.any(String));
    await collect(registry);
    const after = expectStatus(await hub.api('GET', '/gc'), 200).json();
    expect(after).toMatchObject({ links: { waiting: 0, due: 0, oldest_due: null }, backfilled: true, held: false });
  });
});

describe('POST /gc/preview', () => {
  it('predicts what the next run reports, in the bucket too', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob(300));
    const content = image();
    await repo.mustPushImage(content, 'v1');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    const bytes = 300 + content.blobs.reduce((sum, each) => sum + each.size, 0);
    const predicted = expectStatus(await hub.api('POST', '/gc/preview'), 200).json();
    expect(predicted).toMatchObject({ manifests: 1, links: 4, blobs: 4, bytes, objects: 4, object_bytes: bytes });
    expect(await objects(), 'a preview changes nothing').toBe(4);
    await runCollectJob(registry, {});
    await runSweepJob(registry);
    const [swept, collected] = (await runs()).items;
    expect(collected).toMatchObject({ manifests: 1, links: 4, blobs: 4, bytes, objects: 0, state: 'finished' });
    expect(swept).toMatchObject({ manifests: 0, objects: 4, object_bytes: bytes });
    expect(await objects()).toBe(0);
    await hub.assertNothingLeft();
  });
});

describe('POST /gc/run', () => {
  it('has both parts run, and the report says who asked', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    expectStatus(await hub.api('POST', '/gc/run'), 204);
    const jobs = await db.query<{ name: string; payload: { requestedBy?: number } }>(sql`
      select t.identifier as name, j.payload from graphile_worker._private_jobs j
      join graphile_worker._private_tasks t on t.id = j.task_id order by name`);
    expect(jobs.map(({ name }) => name)).toEqual(['collect-garbage']);
    await runCollectJob(registry, jobs[0]?.payload ?? {});
    expect((await runs()).items[0]).toMatchObject({
      cause: 'request',
      requested_by: 'admin',
      links: 1,
      objects: 1,
    });
  });

  it('goes on in another job when its time is over', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    expectStatus(await hub.api('POST', '/gc/run'), 204);
    /** As a worker takes it. */
    const take = (): Promise<{ payload: CollectJob }[]> =>
      db.query(sql`delete from graphile_worker._private_jobs returning payload`);
    const [asked] = await take();
    await runCollectJob(registry, asked!.payload, 0);
    const [next] = await take();
    expect(next).toEqual(asked);
    await runCollectJob(registry, next!.payload);
    expect(await take()).toEqual([]);
    expect((await runs()).items[0]).toMatchObject({ cause: 'request', links: 1, objects: 1 });
  });
});

describe('GET /gc/runs', () => {
  it('has no row for a run that found nothing, and pages through the others', async () => {
    const repo = await hub.repo();
    for (let i = 0; i < 2; i++) {
      await repo.mustPush(blob());
      await collect(registry);
    }
    const before = (await runs()).items.length;
    await collect(registry);
    expect((await runs()).items).toHaveLength(before);
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await runs(`?limit=1${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.items.map((each) => each.id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(ids).toEqual((await runs()).items.map((each) => each.id));
    expect((await hub.api('GET', '/gc/runs?cursor=IjEi')).status).toBe(400);
  });
});

describe('a collector', () => {
  it('works alone: another one returns at once and says so', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    await db.query(sql`update gc_state set runner = gen_random_uuid(), runner_seen = now()`);
    expect(await collect(registry)).toMatchObject({ busy: true, links: 0 });
    await db.query(sql`update gc_state set runner_seen = now() - interval '61 seconds'`);
    expect(await collect(registry)).toMatchObject({ busy: false, links: 1 });
  });

  it('stops when another one has taken its place', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    // Stopped in the middle of a batch, and taken for dead.
    const stopped = await brake(db, (tx) =>
      tx.query(sql`insert into blob_reviews (blob_id, review_after) select max(id), 'infinity' from blobs`),
    );
    // It pauses after the batch, in which the other gets its turn.
    const collecting = collect(registry, { pace: 3 });
    await untilWaiting(db);
    const stealing = db.query(sql`update gc_state set runner = gen_random_uuid(), runner_seen = now()`);
    await untilWaiting(db, 2);
    await stopped.release();
    await stealing;
    expect(await collecting).toMatchObject({ busy: true, links: 1, blobs: 0 });
    await db.query(sql`update gc_state set runner = null`);
    expect(await collect(registry)).toMatchObject({ busy: false, links: 0, blobs: 1 });
  });

  it('counts what it removed even if it is killed: a batch and its count are one', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob());
    const before = (await runs()).items.length;
    const abort = new AbortController();
    abort.abort();
    expect(await collect(registry, { signal: abort.signal }), 'nothing begins').toMatchObject({ links: 0 });
    // The one that was killed: its row has no end.
    await collect(registry);
    await db.query(sql`
      update gc_runs set finished_at = null, seen_at = now() - interval '2 minutes'
      where id = (select id from gc_runs order by started_at desc limit 1)`);
    const [killed] = (await runs()).items;
    expect(killed).toMatchObject({ state: 'interrupted', links: 1 });
    expect((await runs()).items).toHaveLength(before + 1);
  });
});

describe('a hold on all bytes', () => {
  const hold = (more: object = {}): Promise<Answer> =>
    hub.api('POST', '/gc/holds', { owner_id: 'tonight', reason: 'backup', ...more });

  it('keeps them in the store until it is released, while rows go', async () => {
    const repo = await hub.repo();
    const content = blob(700);
    await repo.mustPush(content);
    const made = expectStatus(await hold(), 201).json<{ id: string }>();
    expect(made).toMatchObject({ owner_kind: 'backup', owner_id: 'tonight', created_by: 'admin' });
    const predicted = expectStatus(await hub.api('POST', '/gc/preview'), 200).json();
    expect(predicted).toMatchObject({ blobs: 1, bytes: 700, objects: 0, object_bytes: 0 });
    expect(await collect(registry)).toMatchObject({ blobs: 1, bytes: 700, objects: 0, objectBytes: 0 });
    expect(expectStatus(await hub.api('GET', '/gc'), 200).json()).toMatchObject({
      held: true,
      objects: { bytes: 700 },
    });
    const listed = expectStatus(await hub.api('GET', '/gc/holds'), 200).json<{ items: unknown[] }>();
    expect(listed.items).toEqual([made]);
    expectStatus(await hub.api('DELETE', `/gc/holds/${made.id}`), 204);
    expectStatus(await hub.api('DELETE', `/gc/holds/${made.id}`), 404);
    expect(await collect(registry)).toMatchObject({ objects: 1, objectBytes: 700 });
  });

  it('ends by itself', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob(10));
    expectStatus(await hold({ expires_in_seconds: 60 }), 201);
    expect(await collect(registry)).toMatchObject({ blobs: 1, objects: 0 });
    await db.query(sql`update gc_holds set expires_at = now()`);
    expect(await collect(registry)).toMatchObject({ objects: 1 });
    expect((await hold({ expires_in_seconds: 1 })).status).toBe(400);
  });
});

describe('the sweep', () => {
  it('tries the rest of a batch when one fails, counts what went, and comes back for it', async () => {
    const repo = await hub.repo();
    for (let i = 0; i < 5; i++) await repo.mustPush(blob(10));
    await collect(registry, { sweep: false });
    let deletes = 0;
    const { kind, deletesAtOnce } = registry.store;
    const failing = {
      kind,
      deletesAtOnce,
      deleteAll: async (keys: readonly string[]) => {
        deletes += keys.length;
        await registry.store.deleteAll(keys.slice(1));
        return { gone: keys.slice(1), failure: new Error('away') };
      },
    } as Partial<BlobStore> as BlobStore;
    await expect(sweepDeadObjects(db, failing)).rejects.toThrow('away');
    expect(deletes).toBe(5);
    await db.query(sql`update dead_objects set delete_after = now()`);
    expect(await collect(registry)).toMatchObject({ objects: 1, objectBytes: 10 });
    await hub.assertNothingLeft();
  });

  it('takes objects in a transaction that waits for the disk, whatever the server has', async () => {
    const repo = await hub.repo();
    await repo.mustPush(blob(10));
    await collect(registry, { sweep: false });
    const settings: (string | undefined)[] = [];
    const watched: typeof db = {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          const result = await work(tx);
          const row = await tx.first<{ value: string }>(sql`select current_setting('synchronous_commit') as value`);
          settings.push(row?.value);
          return result;
        }),
    };
    await sweepDeadObjects(watched, registry.store);
    expect(settings).toEqual(['on', 'off']);
  });

  it('leaves to another what that has taken', async () => {
    const repo = await hub.repo();
    for (let i = 0; i < 3; i++) await repo.mustPush(blob(10));
    await collect(registry, { sweep: false });
    await using taken = await brake(db, (tx) => tx.query(sql`select 1 from dead_objects limit 1 for update`));
    expect((await sweepBytes(registry)).objects).toBe(2);
    await taken.release();
    expect((await sweepBytes(registry)).objects).toBe(1);
  });
});
