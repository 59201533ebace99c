/** The rows of the interleaving table (docs/garbage-collection.md) that are about manifests, and about contents. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { digestToBytes, type Digest } from '../../src/blobs/digest.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import { lockFreeManifests } from '../../src/registry/queries/gc-orphans.ts';
import { hideManifests } from '../../src/registry/queries/manifests.ts';
import { testHub } from '../harness/hub.ts';
import { artifact, blob, expectStatus, image, index, type Blob, type Image, type Repo } from '../harness/oci-client.ts';
import { brake, untilWaiting } from './brake.ts';

// Leases keep the blobs, so that only manifests go.
const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0 } } });
const { db } = hub;
const registry = hub.context.registry;

interface Row {
  readonly id: number;
  readonly repository_id: number;
}

async function rowOf(digest: string): Promise<Row> {
  const row = await db.first<Row>(sql`
    select id, repository_id from manifests where digest = ${digestToBytes(digest as Digest)}`);
  return row as Row;
}

async function deleted(): Promise<{ repo: Repo; content: Image; row: Row }> {
  const repo = await hub.repo();
  const content = image();
  await repo.mustPushImage(content, 'v1');
  const row = await rowOf(content.manifest.digest);
  expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
  return { repo, content, row };
}

/** Stops a collector that purges the manifest, before it commits. */
function brakePurge({ id }: Row) {
  return brake(db, (tx) =>
    tx.query(sql`
      insert into link_reviews (repository_id, blob_id, review_after)
      select repository_id, blob_id, 'infinity' from manifest_blobs where manifest_id = ${id}
      on conflict (repository_id, blob_id) do update set review_after = excluded.review_after`),
  );
}

describe('a purge meets', () => {
  it('a push of the same manifest, which waits and makes it anew', async () => {
    const { repo, content, row } = await deleted();
    await using stopped = await brakePurge(row);
    const collecting = collect(registry);
    await untilWaiting(db);
    const putting = repo.putManifest(content.manifest, 'v2');
    await untilWaiting(db, 2);
    await stopped.release();
    expect((await collecting).manifests).toBe(1);
    expectStatus(await putting, 201);
    await repo.mustPull('v2');
    expect((await rowOf(content.manifest.digest)).id).not.toBe(row.id);
  });

  it('a push of the same manifest that was first, and leaves it', async () => {
    const { repo, content, row } = await deleted();
    const other = image();
    await repo.mustPushImage(other);
    const { id } = await rowOf(other.manifest.digest);
    const tag = await brake(db, (tx) =>
      tx.query(sql`insert into tags (repository_id, name, manifest_id) values (${row.repository_id}, 'v2', ${id})`),
    );
    const putting = repo.putManifest(content.manifest, 'v2');
    await untilWaiting(db);
    expect((await collect(registry)).manifests).toBe(0);
    await tag.release();
    expectStatus(await putting, 201);
    expect((await collect(registry)).manifests).toBe(0);
    await repo.mustPull('v2');
  });

  it('a restore, which waits and finds nothing', async () => {
    const { row } = await deleted();
    await using stopped = await brakePurge(row);
    const collecting = collect(registry);
    await untilWaiting(db);
    const restoring = db.query(sql`update manifests set deleted_at = null where id = ${row.id} returning 1 as ok`);
    await untilWaiting(db, 2);
    await stopped.release();
    expect((await collecting).manifests).toBe(1);
    expect(await restoring).toEqual([]);
  });

  it('a restore that was first, and leaves it', async () => {
    const { repo, content, row } = await deleted();
    const restoring = await brake(db, (tx) =>
      tx.query(sql`update manifests set deleted_at = null where id = ${row.id}`),
    );
    expect((await collect(registry)).manifests).toBe(0);
    await restoring.commit();
    expect((await collect(registry)).manifests).toBe(0);
    await repo.mustPull(content.manifest.digest);
  });

  it('a hold that is just made, and leaves what it holds until it is over', async () => {
    const { row } = await deleted();
    const holding = await brake(db, (tx) =>
      tx.query(sql`
        insert into holds (manifest_id, owner_kind, owner_id, reason, expires_at)
        values (${row.id}, 'test', '1', 'in use', now() + interval '1 hour')`),
    );
    expect((await collect(registry)).manifests).toBe(0);
    await holding.commit();
    expect((await collect(registry)).manifests).toBe(0);
    await db.query(sql`update holds set expires_at = now() where manifest_id = ${row.id}`);
    expect((await collect(registry)).manifests).toBe(1);
    expect(await db.query(sql`select 1 from holds where manifest_id = ${row.id}`)).toEqual([]);
  });

  it('a blob that the manifest was missing, and is left for the next run', async () => {
    const repo = await hub.repo({ allowSparse: true });
    const content = image({ layers: [10] });
    const [config, layer] = content.blobs as [Blob, Blob];
    await repo.mustPush(config);
    expectStatus(await repo.putManifest(content.manifest, 'v1'), 201);
    const row = await rowOf(content.manifest.digest);
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    const coming = await brake(db, (tx) =>
      tx.query(sql`select 1 from manifest_missing_blobs where manifest_id = ${row.id} for update`),
    );
    expect((await collect(registry)).manifests).toBe(0);
    await coming.release();
    await repo.mustPush(layer);
    expect((await collect(registry)).manifests).toBe(1);
  });

  it('what an index lists only after the index', async () => {
    const { repo, content } = await deleted();
    await repo.mustPushImage(content);
    const parent = index([content.manifest]);
    await repo.mustPut(parent);
    const { id } = await rowOf(parent.digest);
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    await db.query(
      sql`insert into holds (manifest_id, owner_kind, owner_id, reason) values (${id}, 'test', '1', 'kept')`,
    );
    expect((await collect(registry)).manifests, 'the index could not be brought back whole').toBe(0);
    await db.query(sql`delete from holds where manifest_id = ${id}`);
    expect((await collect(registry)).manifests).toBe(2);
  });
});

describe('the move of an orphan to the trash meets', () => {
  async function orphaned() {
    const { repo, content } = await deleted();
    const referrer = artifact({ subject: content.manifest });
    await repo.mustPushImage(referrer);
    const row = await rowOf(referrer.manifest.digest);
    // Pushed when the subject was there, long enough ago.
    await db.query(sql`
      update manifests set leased_until = now(), created_at = now() - interval '1 hour' where id = ${row.id}`);
    return { repo, referrer, row };
  }

  it('an index that lists it, which waits and is refused', async () => {
    const { repo, referrer, row } = await orphaned();
    const hiding = await brake(db, async (tx) => {
      await lockFreeManifests(tx, [row.id]);
      await hideManifests(tx, row.repository_id, [{ id: row.id, tags: [] }], {
        reason: 'orphan',
        runId: null,
        actorId: null,
      });
    });
    const putting = repo.putManifest(index([referrer.manifest]), 'v3');
    await untilWaiting(db);
    await hiding.commit();
    expectStatus(await putting, 404);
    expect((await collect(registry)).manifests).toBe(2);
  });

  it('an index that was first, and leaves it', async () => {
    const { repo, referrer, row } = await orphaned();
    const other = image();
    await repo.mustPushImage(other);
    const { id } = await rowOf(other.manifest.digest);
    const tag = await brake(db, (tx) =>
      tx.query(sql`insert into tags (repository_id, name, manifest_id) values (${row.repository_id}, 'v3', ${id})`),
    );
    const parent = index([referrer.manifest]);
    const putting = repo.putManifest(parent, 'v3');
    await untilWaiting(db);
    expect((await collect(registry)).orphans).toBe(0);
    await tag.release();
    expectStatus(await putting, 201);
    expect((await collect(registry)).orphans).toBe(0);
    await repo.mustPull('v3');
    // The pull of somebody who may push was a promise.
    await db.query(sql`update manifests set leased_until = now() where id = ${row.id}`);
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    expect((await collect(registry)).orphans, 'nothing lists it any more').toBe(1);
  });
});

describe('the removal of a content meets a push of the same bytes', () => {
  async function unlinked() {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    const [row] = await db.query<{ id: number; key: string }>(sql`
      select id, key from blobs where digest = ${digestToBytes(content.digest as Digest)}`);
    await db.query(sql`delete from repository_blobs where blob_id = ${row?.id}`);
    return { repo, content, ...(row as { id: number; key: string }) };
  }

  it('that comes second: it waits, and has a row and an object of its own', async () => {
    const { repo, content, id, key } = await unlinked();
    await using stopped = await brake(db, (tx) =>
      tx.query(sql`
        insert into dead_objects (key, store, reason, delete_after) values (${key}, 'disk', 'test', 'infinity')`),
    );
    const collecting = collect(registry);
    await untilWaiting(db);
    const pushing = repo.post({ digest: content.digest }, { body: content.bytes });
    await untilWaiting(db, 2);
    await stopped.release();
    expect(await collecting).toMatchObject({ blobs: 1, bytes: content.size, objects: 1, objectBytes: content.size });
    expectStatus(await pushing, 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
    const [now] = await db.query<{ id: number; key: string }>(sql`
      select id, key from blobs where digest = ${digestToBytes(content.digest as Digest)}`);
    expect(now?.id).not.toBe(id);
    expect(now?.key).not.toBe(key);
  });

  it('that comes first: the collector goes by', async () => {
    const { repo, content, id } = await unlinked();
    const link = await brake(db, (tx) =>
      tx.query(sql`
        insert into repository_blobs (repository_id, blob_id) select id, ${id} from repositories where path = ${repo.name}`),
    );
    // The brake's own link keeps the content locked, as the push does.
    const pushing = repo.post({ digest: content.digest }, { body: content.bytes });
    await untilWaiting(db);
    expect((await collect(registry)).blobs).toBe(0);
    await link.release();
    expectStatus(await pushing, 201);
    expect((await collect(registry)).blobs).toBe(0);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });
});
