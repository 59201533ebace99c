/** The rows of the interleaving table (docs/garbage-collection.md) that are about links. */
import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { digestToBytes, type Digest } from '../../src/blobs/digest.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import { renewLease } from '../../src/registry/queries/blobs.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, type Blob, type Repo } from '../harness/oci-client.ts';
import { newFiles } from '../files/harness.ts';
import { brake, untilWaiting, type Brake } from './brake.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const { db } = hub;
const registry = hub.context.registry;

interface Link {
  readonly repository: number;
  readonly blob: number;
}

async function linkOf(repo: Repo, content: Blob): Promise<Link> {
  const row = await db.first<Link>(sql`
    select rb.repository_id as repository, rb.blob_id as blob from repository_blobs rb
    join repositories r on r.id = rb.repository_id join blobs b on b.id = rb.blob_id
    where r.path = ${repo.name} and b.digest = ${digestToBytes(content.digest as Digest)}`);
  return row as Link;
}

/** A blob that nothing uses, and nothing else to collect. */
async function lonely(): Promise<{ repo: Repo; content: Blob; link: Link }> {
  await collect(registry);
  const repo = await hub.repo();
  const content = blob();
  await repo.mustPush(content);
  return { repo, content, link: await linkOf(repo, content) };
}

/** Stops a collector that has just removed the link, before it commits. */
function brakeCollector({ blob: id }: Link): Promise<Brake> {
  return brake(db, (tx) => tx.query(sql`insert into blob_reviews (blob_id, review_after) values (${id}, 'infinity')`));
}

/** A collector that is about to commit the removal of the link meets `request`, which has to wait for it. */
async function collectorFirst<T>(link: Link, request: () => Promise<T>): Promise<T> {
  await using stopped = await brakeCollector(link);
  const collecting = collect(registry);
  await untilWaiting(db);
  const asking = request();
  await untilWaiting(db, 2);
  await stopped.release();
  expect((await collecting).links).toBe(1);
  return asking;
}

/** While `held` keeps something, a whole run goes by without waiting; returns what it removed. */
async function collectMeanwhile(held: Brake): Promise<number> {
  await using _ = held;
  const report = await collect(registry, { signal: AbortSignal.timeout(5_000) });
  return report.links;
}

describe('a collector that removes a link comes first:', () => {
  it('a manifest that needs the blob is refused, and nothing of it is there', async () => {
    const { repo, content, link } = await lonely();
    const { manifest, blobs } = image({ layers: [content.bytes] });
    const answer = await collectorFirst(link, async () => {
      await repo.mustPush(blobs[0] as Blob);
      return repo.putManifest(manifest, 'v1');
    });
    expectStatus(answer, 404);
    expect(answer.json<{ errors: { code: string }[] }>().errors[0]?.code).toBe('MANIFEST_BLOB_UNKNOWN');
    expectStatus(await repo.headManifest('v1'), 404);
    await repo.mustPushImage({ manifest, blobs }, 'v1');
    await repo.mustPull('v1');
  });

  it('HEAD to someone who may push says that the blob is not there', async () => {
    const { repo, content, link } = await lonely();
    expectStatus(await collectorFirst(link, () => repo.headBlob(content.digest)), 404);
  });

  it('a mount from there asks for the bytes', async () => {
    const { repo, content, link } = await lonely();
    const target = hub.admin.repo(`${repo.name}/target`);
    const answer = expectStatus(await collectorFirst(link, () => target.mount(content.digest, repo.name)), 202);
    await target.at(answer.header('Location') ?? '', 'DELETE');
  });

  it('a push of the same content makes a new link', async () => {
    const { repo, content, link } = await lonely();
    const push = () => repo.post({ digest: content.digest }, { body: content.bytes });
    expectStatus(await collectorFirst(link, push), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('a delete of the blob finds nothing', async () => {
    const { repo, content, link } = await lonely();
    expectStatus(await collectorFirst(link, () => repo.deleteBlob(content.digest)), 404);
  });

  it('a sparse manifest knows that it misses the blob, and is bound to it when it comes', async () => {
    const repo = await hub.repo({ allowSparse: true });
    const content = image({ layers: [10] });
    const [config, layer] = content.blobs as [Blob, Blob];
    await repo.mustPush(config);
    await repo.mustPush(layer);
    const link = await linkOf(repo, layer);
    const stopped = await brakeCollector(link);
    const collecting = collect(registry);
    await untilWaiting(db);
    const putting = repo.putManifest(content.manifest, 'v1');
    await untilWaiting(db, 2);
    await stopped.release();
    await collecting;
    expectStatus(await putting, 201);
    const [missing] = await db.query<{ count: number }>(sql`
      select count(*) as count from manifest_missing_blobs where repository_id = ${link.repository}`);
    expect(missing?.count, 'it knows what it misses').toBeGreaterThan(0);
    for (const each of content.blobs) await repo.mustPush(each);
    expect((await collect(registry)).links, 'and is bound to it').toBe(0);
    await repo.mustPull('v1');
  });
});

describe('a collector comes second and goes by:', () => {
  it('a manifest that has bound the blob keeps it', async () => {
    const { repo, content } = await lonely();
    const { manifest, blobs } = image({ layers: [content.bytes] });
    await repo.mustPush(blobs[0] as Blob);
    const other = image({ layers: [] });
    await repo.mustPushImage(other);
    // The manifest's last step is its tag, which somebody else is just making.
    const tag = await brake(db, (tx) =>
      tx.query(sql`
        insert into tags (repository_id, name, manifest_id)
        select repository_id, 'v1', id from manifests where digest = ${digestToBytes(other.manifest.digest as Digest)}`),
    );
    const putting = repo.putManifest(manifest, 'v1');
    await untilWaiting(db);
    expect(await collectMeanwhile(tag)).toBe(0);
    expectStatus(await putting, 201);
    await repo.mustPull('v1');
    expect((await collect(registry)).links).toBe(0);
    await repo.mustPull('v1');
  });

  it('a lease that is just renewed counts', async () => {
    const { repo, content, link } = await lonely();
    const renewing = await brake(db, (tx) => renewLease(tx, link.repository, link.blob, 3_600));
    const collecting = collect(registry);
    expect((await collecting).links).toBe(0);
    await renewing.commit();
    expect((await collect(registry)).links).toBe(0);
    expectStatus(await repo.getBlob(content.digest), 200);
    await db.query(sql`update repository_blobs set leased_until = now() where blob_id = ${link.blob}`);
    await db.query(sql`update link_reviews set review_after = now() where blob_id = ${link.blob}`);
    expect((await collect(registry)).links).toBe(1);
  });

  it('a mount keeps its source until it is done', async () => {
    const { repo, content, link } = await lonely();
    const target = hub.admin.repo(`${repo.name}/target`);
    await target.mustPushImage(image({ layers: [] }));
    const at = await brake(db, (tx) =>
      tx.query(sql`
        insert into repository_blobs (repository_id, blob_id) select id, ${link.blob} from repositories where path = ${target.name}`),
    );
    const mounting = target.mount(content.digest, repo.name);
    await untilWaiting(db);
    expect(await collectMeanwhile(at)).toBe(0);
    expectStatus(await mounting, 201);
    expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
    expect((await collect(registry)).links).toBe(2);
  });

  it('a file that is being put keeps its bytes, and the bytes that it replaces go', async () => {
    const files = await newFiles(hub);
    const repo = hub.admin.repo(files.repository);
    const put = (content: Blob) => files.put('1.0', 'a', content.bytes);
    const [first, second] = [blob(), blob()];
    expectStatus(await put(first), 201);
    const version = await brake(db, (tx) => tx.query(sql`select 1 from file_versions where name = '1.0' for update`));
    const putting = put(second);
    await untilWaiting(db);
    expect(await collectMeanwhile(version)).toBe(0);
    expectStatus(await putting, 200);
    // The manifest of the first is still what the tag says; it is built anew when somebody asks.
    expect((await collect(registry)).links).toBe(0);
    await repo.mustPull('1.0');
    const before = await db.query<{ id: number }>(sql`
      select m.id from manifests m where kind = 'file' and not exists (select from tags t where t.manifest_id = m.id)`);
    expect(before).toHaveLength(1);
    expect((await files.get('1.0', 'a')).body).toEqual(second.bytes);
  });

  it('a delete of the blob counts, and the link goes a little later', async () => {
    const { repo, content, link } = await lonely();
    const user = image({ layers: [content.bytes] });
    // The delete's last step is its event; before that it asks for the repository's epoch.
    const epoch = await brake(db, (tx) =>
      tx.query(sql`select 1 from repositories where id = ${link.repository} for no key update`),
    );
    const deleting = repo.deleteBlob(content.digest);
    await untilWaiting(db);
    expect(await collectMeanwhile(epoch)).toBe(0);
    expectStatus(await deleting, 202);
    expectStatus(await repo.headBlob(content.digest), 404);
    expect((await collect(registry)).links).toBe(1);
    expectStatus(await repo.putManifest(user.manifest), 404);
  });

  it('a repository that somebody changes is left for the next run', async () => {
    const { link } = await lonely();
    const changing = await brake(db, (tx) =>
      tx.query(sql`select 1 from repositories where id = ${link.repository} for no key update`),
    );
    expect(await collectMeanwhile(changing)).toBe(0);
    expect((await collect(registry)).links).toBe(1);
  });
});

describe('the queue forgets nothing:', () => {
  it('a use that ends while a collector looks brings the link back', async () => {
    const repo = await hub.repo();
    const content = image({ layers: [10] });
    await repo.mustPushImage(content, 'v1');
    const [layer] = content.blobs.slice(1) as [Blob];
    const link = await linkOf(repo, layer);
    // The row is in the queue, and somebody ends the use whom the collector cannot see yet.
    const ending = await brake(db, (tx) => tx.query(sql`delete from manifest_blobs where blob_id = ${link.blob}`));
    expect((await collect(registry)).links).toBe(0);
    await ending.commit();
    expect((await collect(registry)).links, 'it was not forgotten').toBe(1);
    await repo.deleteManifest(content.manifest.digest);
    await collect(registry);
  });

  it('and it comes back when the collector was first', async () => {
    const repo = await hub.repo();
    const content = image({ layers: [10] });
    await repo.mustPushImage(content, 'v1');
    const link = await linkOf(repo, content.blobs[1] as Blob);
    const looking = await brake(db, async (tx) => {
      await tx.query(sql`select 1 from link_reviews where blob_id = ${link.blob} for update`);
      await tx.query(sql`delete from link_reviews where blob_id = ${link.blob}`);
    });
    const ending = db.query(sql`delete from manifest_blobs where blob_id = ${link.blob}`);
    await untilWaiting(db);
    await looking.commit();
    await ending;
    expect((await collect(registry)).links).toBe(1);
    await repo.deleteManifest(content.manifest.digest);
    await collect(registry);
  });
});
