import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { digestToBytes, type Digest } from '../../src/blobs/digest.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import { previewCollection } from '../../src/registry/gc/preview.ts';
import { testHub } from '../harness/hub.ts';
import { artifact, expectStatus, image, index, type Image, type Manifest, type Repo } from '../harness/oci-client.ts';

const UNDO = 3_600;
const hub = await testHub({ config: { gc: { undo: UNDO, delay: 0, bytesDelay: 0, lease: 0 } } });
const { db } = hub;
const registry = hub.context.registry;

/** So much later, as far as the trash is concerned. */
async function undoIsOver(): Promise<void> {
  await db.query(
    sql`update manifests set deleted_at = deleted_at - make_interval(secs => ${UNDO}) where deleted_at is not null`,
  );
}

interface Signed {
  readonly repo: Repo;
  readonly subject: Image;
  readonly referrer: Image;
  readonly cosign: Image;
}

function cosignTag({ digest }: Manifest, suffix = '.sig'): string {
  return `${digest.replace(':', '-')}${suffix}`;
}

/** An image with an SBOM and a signature. */
async function signed(): Promise<Signed> {
  const repo = await hub.repo();
  const [subject, cosign] = [image(), artifact()];
  const referrer = artifact({ subject: subject.manifest });
  await repo.mustPushImage(subject, 'v1');
  await repo.mustPushImage(referrer);
  await repo.mustPushImage(cosign, cosignTag(subject.manifest));
  // Deletes are later than pushes, however fast the test is.
  await age(repo);
  return { repo, subject, referrer, cosign };
}

async function age(repo: Repo): Promise<void> {
  await db.query(sql`
    update manifests m set created_at = m.created_at - interval '2 hours' from repositories r
    where r.id = m.repository_id and r.path = ${repo.name}`);
  await db.query(sql`
    update tags t set updated_at = t.updated_at - interval '2 hours' from repositories r
    where r.id = t.repository_id and r.path = ${repo.name}`);
}

/** Deletes the subject, and has it purged; returns what the run did. */
async function purged({ repo, subject }: Pick<Signed, 'repo' | 'subject'>) {
  expectStatus(await repo.deleteManifest(subject.manifest.digest), 202);
  expect((await collect(registry)).orphans, 'the subject may come back').toBe(0);
  await undoIsOver();
  const predicted = await previewCollection(registry);
  const { busy: _, more: __, ...report } = await collect(registry);
  expect(report).toEqual(predicted);
  return report;
}

async function status(repo: Repo, ...contents: Image[]): Promise<number[]> {
  return Promise.all(contents.map(async ({ manifest }) => (await repo.headManifest(manifest.digest)).status));
}

describe('what refers to a manifest', () => {
  it('goes to the trash when that is gone for good, and for good when its own time is over', async () => {
    const all = await signed();
    const { repo, subject, referrer, cosign } = all;
    expect(await purged(all)).toMatchObject({ manifests: 1, orphans: 2 });
    expect(await status(repo, referrer, cosign)).toEqual([404, 404]);
    expect(await repo.mustTags()).toEqual([]);
    const rows = await db.query<{ reason: string; tags: string[] }>(sql`
      select d.reason, d.tags from deletions d join repositories r on r.id = d.repository_id
      where r.path = ${repo.name} order by cardinality(d.tags)`);
    expect(rows).toEqual([
      { reason: 'orphan', tags: [] },
      { reason: 'orphan', tags: [cosignTag(subject.manifest)] },
    ]);
    const [history] = await db.query<{ new_digest: Buffer | null }>(sql`
      select new_digest from tag_history where name = ${cosignTag(subject.manifest)} order by id desc limit 1`);
    expect(history?.new_digest).toBeNull();
    await undoIsOver();
    expect(await collect(registry)).toMatchObject({ manifests: 2, orphans: 0 });
  });

  it('goes with the list of referrers under a fallback tag, and is followed by what refers to it', async () => {
    const repo = await hub.repo();
    const subject = image();
    const referrer = artifact({ subject: subject.manifest });
    const second = artifact({ subject: referrer.manifest });
    for (const each of [subject, referrer, second]) await repo.mustPushImage(each);
    const list = index([referrer.manifest]);
    await repo.mustPut(list, cosignTag(subject.manifest, ''));
    await age(repo);
    expect(await purged({ repo, subject })).toMatchObject({ manifests: 1, orphans: 2 });
    expect(await status(repo, referrer, second)).toEqual([404, 200]);
    await undoIsOver();
    expect(await collect(registry)).toMatchObject({ manifests: 2, orphans: 1 });
    expect(await status(repo, second)).toEqual([404]);
  });

  it('stays when the subject is pushed again in time', async () => {
    const all = await signed();
    expectStatus(await all.repo.deleteManifest(all.subject.manifest.digest), 202);
    await all.repo.mustPushImage(all.subject);
    await undoIsOver();
    expect((await collect(registry)).orphans).toBe(0);
    expect(await status(all.repo, all.referrer, all.cosign)).toEqual([200, 200]);
  });

  it('stays when the subject is pushed again while a lease still kept it', async () => {
    const all = await signed();
    const { repo, subject, referrer, cosign } = all;
    await db.query(sql`update manifests set leased_until = now() + interval '1 hour' where deleted_at is null`);
    expect(await purged(all)).toMatchObject({ manifests: 1, orphans: 0 });
    await repo.mustPushImage(subject);
    await db.query(sql`update manifests set leased_until = now() where leased_until > now()`);
    await db.query(sql`update subject_reviews set review_after = now()`);
    expect((await collect(registry)).orphans).toBe(0);
    expect(await status(repo, referrer, cosign)).toEqual([200, 200]);
    expect(await db.query(sql`select 1 from subject_reviews`), 'the review is over').toEqual([]);
  });

  it('stays when its subject was never here, or was not when it came', async () => {
    const repo = await hub.repo();
    const [never, subject] = [image(), image()];
    const early = artifact({ subject: never.manifest });
    await repo.mustPushImage(early);
    await repo.mustPushImage(artifact(), cosignTag(never.manifest));
    await repo.mustPushImage(subject);
    await age(repo);
    expectStatus(await repo.deleteManifest(subject.manifest.digest), 202);
    const late = artifact({ subject: subject.manifest });
    await repo.mustPushImage(late);
    await undoIsOver();
    expect(await collect(registry)).toMatchObject({ manifests: 1, orphans: 0 });
    expect(await status(repo, early, late)).toEqual([200, 200]);
  });

  it('stays under a name that somebody gave it', async () => {
    const all = await signed();
    await all.repo.mustPut(all.referrer.manifest, 'sbom-of-v1');
    expect(await purged(all)).toMatchObject({ orphans: 1 });
    expect(await status(all.repo, all.referrer, all.cosign)).toEqual([200, 404]);
    expect((await collect(registry)).orphans).toBe(0);
  });

  it('stays while it has a lease or a hold', async () => {
    const all = await signed();
    const { repo, referrer, cosign } = all;
    await db.query(sql`
      update manifests set leased_until = now() + interval '1 hour' where digest = ${digestToBytes(referrer.manifest.digest as Digest)}`);
    await db.query(sql`
      insert into holds (manifest_id, owner_kind, owner_id, reason, expires_at)
      select id, 'test', '1', 'in use', now() + interval '2 hours' from manifests
      where digest = ${digestToBytes(cosign.manifest.digest as Digest)}`);
    expect(await purged(all)).toMatchObject({ orphans: 0 });
    await db.query(sql`update manifests set leased_until = now() where leased_until > now()`);
    expect((await collect(registry)).orphans, 'not before its lease would have been over').toBe(0);
    await db.query(sql`update subject_reviews set review_after = now()`);
    expect((await collect(registry)).orphans).toBe(1);
    expect(await status(repo, referrer, cosign)).toEqual([404, 200]);
    await db.query(sql`update holds set expires_at = now()`);
    await db.query(sql`update subject_reviews set review_after = now()`);
    expect((await collect(registry)).orphans).toBe(1);
  });
});
