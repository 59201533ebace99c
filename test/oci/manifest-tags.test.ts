import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { expectStatus, image, index, manifest, MEDIA, type Answer, type Manifest } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

function small(): Manifest {
  return index([], { extra: { annotations: { nonce: crypto.randomUUID() } } });
}

function tagsOf(answer: Answer): string[] {
  return answer.all('OCI-Tag').flatMap((value) => value.split(',').map((tag) => tag.trim()));
}

describe('PUT by digest with ?tag=', () => {
  it('tags with each of them and says so', async () => {
    const content = small();
    const answer = expectStatus(
      await repo.putManifest(content, content.digest, { tag: ['1.2.3', '1.2', '1', 'latest'] }),
      201,
    );
    expect(tagsOf(answer).toSorted()).toEqual(['1', '1.2', '1.2.3', 'latest']);
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    for (const tag of ['1.2.3', '1.2', '1', 'latest']) {
      expect((await repo.getManifest(tag)).body).toEqual(content.bytes);
    }
  });

  it('takes at least ten', async () => {
    const content = small();
    const tags = Array.from({ length: 10 }, (_, at) => `ten-${at}`);
    const answer = expectStatus(await repo.putManifest(content, content.digest, { tag: tags }), 201);
    expect(tagsOf(answer).toSorted()).toEqual(tags.toSorted());
  });

  it('takes many or says 414; never some of them', async () => {
    const content = small();
    const tags = Array.from({ length: 300 }, (_, at) => `many-${at}`);
    const answer = await repo.putManifest(content, content.digest, { tag: tags });
    expect([201, 414]).toContain(answer.status);
    const there = (await repo.mustTags({ n: 1_000 })).filter((tag) => tag.startsWith('many-'));
    expect(there).toHaveLength(answer.status === 201 ? 300 : 0);
  });

  it('does not mind the same tag twice', async () => {
    const content = small();
    const answer = expectStatus(await repo.putManifest(content, content.digest, { tag: ['twice', 'twice'] }), 201);
    expect(new Set(tagsOf(answer))).toEqual(new Set(['twice']));
  });

  it('moves tags that exist', async () => {
    const [before, after] = [small(), small()];
    await repo.mustPut(before, 'moved');
    expectStatus(await repo.putManifest(after, after.digest, { tag: 'moved' }), 201);
    expect((await repo.getManifest('moved')).body).toEqual(after.bytes);
  });

  it.each(['', '-x', 'a b', 'a/b', 'ü', 'x'.repeat(129), 'sha256:abc'])(
    'refuses all when one is no tag: %j',
    async (tag) => {
      const content = small();
      expectError(await repo.putManifest(content, content.digest, { tag: ['fine', tag] }), 400);
      expectBareStatus(await repo.headManifest('fine'), 404);
      expectBareStatus(await repo.headManifest(content.digest), 404);
    },
  );

  it('tags nothing when the manifest is refused', async () => {
    const content = image().manifest;
    expectError(await repo.putManifest(content, content.digest, { tag: 'early' }), 404, 'MANIFEST_BLOB_UNKNOWN');
    expectBareStatus(await repo.headManifest('early'), 404);
  });

  it('sends no OCI-Tag when no tag was asked for', async () => {
    const content = small();
    expect(tagsOf(await repo.mustPut(content))).toEqual([]);
  });
});

describe('PUT with a subject', () => {
  it('answers with OCI-Subject, for images and indexes', async () => {
    const subject = small();
    await repo.mustPut(subject);
    const image_ = image({ subject });
    expect((await repo.mustPushImage(image_)).header('OCI-Subject')).toBe(subject.digest);
    const list = index([], {
      extra: { subject: { mediaType: MEDIA.index, digest: subject.digest, size: subject.size } },
    });
    expect((await repo.mustPut(list)).header('OCI-Subject')).toBe(subject.digest);
  });

  it('takes one that is not there', async () => {
    const subject = small();
    const content = image({ subject });
    const answer = await repo.mustPushImage(content, 'orphan');
    expect(answer.header('OCI-Subject')).toBe(subject.digest);
    expectBareStatus(await repo.headManifest(subject.digest), 404);
    expect(await repo.mustPull('orphan')).toEqual(content.manifest.bytes);
  });

  it('answers without OCI-Subject when there is none', async () => {
    expect((await repo.mustPushImage(image())).header('OCI-Subject')).toBeUndefined();
  });

  it('does not ask the size of a subject that is not there', async () => {
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA.index,
      manifests: [],
      subject: { mediaType: MEDIA.index, digest: small().digest, size: 1 },
    };
    expectStatus(await repo.putManifest(manifest(document)), 201);
  });
});
