import sql from 'sql-template-tag';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  artifact,
  expectStatus,
  image,
  index,
  manifest,
  unique,
  type Image,
  type Repo,
} from '../harness/oci-client.ts';
import { other, projectOf, timeMachine } from './harness.ts';

const hub = await testHub();

interface Amount {
  blobs: number;
  bytes: number;
}
interface Preview {
  refused?: string;
  tags: string[];
  manifests: { digest: string; tags: string[]; about?: string }[];
  unreachable: { digest: string }[];
  freed: { repository: Amount; project: Amount; store: Amount };
}

async function previewOf(repo: Repo, body: object): Promise<Preview> {
  return expectStatus(await timeMachine(hub, repo).preview({ ...body }), 200).json<Preview>();
}

const bytesOf = (...contents: readonly { size: number }[]) => contents.reduce((sum, { size }) => sum + size, 0);

/** Every lease is over. */
async function endLeases(): Promise<void> {
  await hub.db.query(sql`update repository_blobs set leased_until = now() - interval '1 second'`);
}

describe('the preview of a delete', () => {
  it('of a tag says that its manifest stays', async () => {
    const repo = await hub.repo();
    await repo.mustPushImage(image(), 'v1');
    const nothing = { blobs: 0, bytes: 0 };
    expect(await previewOf(repo, { tag: 'v1' })).toMatchObject({
      tags: ['v1'],
      manifests: [],
      freed: { repository: nothing, project: nothing, store: nothing },
    });
    expect((await timeMachine(hub, repo).preview({ tag: 'v2' })).status).toBe(404);
  });

  it('of a manifest says which tags go, what goes after it, and what is freed where', async () => {
    const repo = await hub.repo();
    const content = image({ layers: [1_000, 2_000, 4_000] });
    await repo.mustPushImage(content, 'v1');
    await repo.mustPut(content.manifest, 'v2');
    const [config, own, ofProject, ofHub] = content.blobs as [Image['blobs'][0], ...Image['blobs'][0][]];
    const signature = artifact({ subject: content.manifest, layers: [300] });
    const ofSignature = artifact({ subject: signature.manifest, layers: [70] });
    const cosign = artifact({ layers: [9] });
    const named = artifact({ subject: content.manifest, layers: [11] });
    for (const one of [signature, ofSignature]) await repo.mustPushImage(one);
    await repo.mustPushImage(cosign, `${content.manifest.digest.replace(':', '-')}.sig`);
    await repo.mustPushImage(named, 'named');
    await alsoIn(hub.admin.repo(`${projectOf(repo)}/${unique('other')}`), repo, ofProject?.digest as string);
    await alsoIn(await hub.repo(), repo, ofHub?.digest as string);
    await endLeases();

    const preview = await previewOf(repo, { digest: content.manifest.digest });
    expect(preview.refused).toBeUndefined();
    expect(preview.tags).toEqual(['v1', 'v2']);
    expect(preview.manifests[0]).toMatchObject({ digest: content.manifest.digest, tags: ['v1', 'v2'] });
    const going = [content, signature, ofSignature, cosign].map((each) => each.manifest);
    expect(preview.manifests.map(({ digest }) => digest).toSorted()).toEqual(
      going.map(({ digest }) => digest).toSorted(),
    );
    const about = Object.fromEntries(preview.manifests.map((each) => [each.digest, each.about]));
    expect(about[ofSignature.manifest.digest]).toBe(signature.manifest.digest);
    const layers = [signature, ofSignature, cosign].map(({ blobs }) => blobs[1] as Image['blobs'][0]);
    const inRepository = [config, own, ofProject, ofHub, ...layers] as Image['blobs'];
    expect(preview.freed.repository).toEqual({ blobs: 7, bytes: bytesOf(...inRepository) });
    const inProject = inRepository.filter((one) => one !== ofProject);
    expect(preview.freed.project).toEqual({ blobs: 6, bytes: bytesOf(...inProject, ...going) });
    const inStore = inProject.filter((one) => one !== ofHub);
    expect(preview.freed.store).toEqual({ blobs: 5, bytes: bytesOf(...inStore) });
  });

  it('of an index says what nothing leads to any more', async () => {
    const repo = await hub.repo();
    const [alone, tagged, listed] = [image(), image(), image()];
    for (const each of [alone, listed]) await repo.mustPushImage(each);
    await repo.mustPushImage(tagged, 'amd64');
    const parent = index([alone, tagged, listed].map((each) => each.manifest));
    await repo.mustPut(parent, 'v1');
    await repo.mustPut(index([listed.manifest]), 'v2');
    const preview = await previewOf(repo, { digest: parent.digest });
    expect(preview.manifests.map(({ digest }) => digest)).toEqual([parent.digest]);
    expect(preview.unreachable.map(({ digest }) => digest)).toEqual([alone.manifest.digest]);
    expect(preview.freed.store.blobs).toBe(0);
    expect((await previewOf(repo, { digest: alone.manifest.digest })).refused).toBe(`Index ${parent.digest} lists it`);
  });

  it('says why it would be refused', async () => {
    const repo = await hub.repo();
    const content = other();
    await repo.mustPut(content, 'v1');
    const hold = { repository: repo.name, tag: 'v1', owner_kind: 'backup', owner_id: 'b1', reason: 'runs' };
    expectStatus(await hub.api('PUT', `/projects/${projectOf(repo)}/holds`, hold), 200);
    expect((await previewOf(repo, { digest: content.digest })).refused).toBe('It is held by backup b1 (runs)');
  });

  it('equals what a purge frees', async () => {
    const repo = await hub.repo();
    const content = image();
    await repo.mustPushImage(content, 'v1');
    const shared = image();
    await repo.mustPushImage(shared);
    const { freed } = await previewOf(repo, { digest: content.manifest.digest });
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    const purged = await timeMachine(hub, repo).purge({ break_leases: true });
    expect(expectStatus(purged, 200).json<{ freed: Amount }>().freed).toEqual(freed.repository);
  });
});

/** An image in another repository that needs a blob of this one. */
async function alsoIn(target: Repo, source: Repo, digest: string): Promise<void> {
  const base = image({ layers: [] });
  for (const one of base.blobs) await target.mustPush(one);
  expectStatus(await target.mount(digest, source.name), 201);
  const size = Number((await source.headBlob(digest)).header('Content-Length'));
  const document = JSON.parse(base.manifest.bytes.toString()) as { layers: object[] };
  document.layers.push({ mediaType: 'application/octet-stream', digest, size });
  await target.mustPut(manifest(document), 'v1');
}
