/** What changes between the collector's first look and its locks: the second look, under the lock, finds it. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { lookUpsOnly } from '../../src/db/background.ts';
import {
  FIRST_LINK,
  lockDueLinks,
  lockFreeLinks,
  removeLinks,
  settleDueLinks,
} from '../../src/registry/queries/gc-links.ts';
import { renewLease } from '../../src/registry/queries/blobs.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image } from '../harness/oci-client.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const { db } = hub;

/** The steps of a batch, with something in between that another connection commits. */
function removedAfter(between: () => Promise<unknown>): Promise<number> {
  return db.transaction(async (tx) => {
    await lookUpsOnly(tx);
    const due = await lockDueLinks(tx, { until: 'infinity', delay: 0, after: FIRST_LINK, limit: 100 });
    const unused = await settleDueLinks(tx, due, 0);
    expect(unused.length).toBeGreaterThan(0);
    await between();
    return removeLinks(tx, await lockFreeLinks(tx, unused), 0);
  });
}

describe('between the first look and the lock', () => {
  it('a manifest binds the blobs', async () => {
    const repo = await hub.repo();
    const content = image();
    for (const each of content.blobs) await repo.mustPush(each);
    expect(await removedAfter(() => repo.mustPut(content.manifest, 'v1'))).toBe(0);
    await repo.mustPull('v1');
  });

  it('a lease is renewed', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    const link = await db.first<{ repository: number; blob: number }>(sql`
      select repository_id as repository, blob_id as blob from repository_blobs order by created_at desc limit 1`);
    const renew = () => renewLease(db, link?.repository ?? 0, link?.blob ?? 0, 60);
    expect(await removedAfter(renew)).toBe(0);
    expectStatus(await repo.headBlob(content.digest), 200);
  });

  it('nothing happens, and the link goes', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    expect(await removedAfter(async () => {})).toBe(1);
    expectStatus(await repo.headBlob(content.digest), 404);
  });
});
