import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, index, unknownDigest, type Image, type Repo } from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();

async function pushed(...tags: string[]): Promise<{ repo: Repo; content: Image }> {
  const repo = await hub.repo();
  const content = image();
  await repo.mustPushImage(content);
  for (const tag of tags) await repo.mustPut(content.manifest, tag);
  return { repo, content };
}

async function expectGone(repo: Repo, reference: string): Promise<void> {
  expectError(await repo.getManifest(reference), 404, 'MANIFEST_UNKNOWN');
  expectBareStatus(await repo.headManifest(reference), 404);
}

describe('a tag', () => {
  it('goes alone: the manifest and its other tags stay', async () => {
    const { repo, content } = await pushed('one', 'two');
    expectStatus(await repo.deleteManifest('one'), 202);
    await expectGone(repo, 'one');
    expect(await repo.mustTags()).toEqual(['two']);
    expect(await repo.mustPull('two')).toEqual(content.manifest.bytes);
    expect(await repo.mustPull(content.manifest.digest)).toEqual(content.manifest.bytes);
  });

  it('leaves the manifest also when it was the last one', async () => {
    const { repo, content } = await pushed('only');
    expectStatus(await repo.deleteManifest('only'), 202);
    expect(await repo.mustTags()).toEqual([]);
    expect(await repo.mustPull(content.manifest.digest)).toEqual(content.manifest.bytes);
  });

  it('is 404 MANIFEST_UNKNOWN when it is not there, and the second time', async () => {
    const { repo } = await pushed('one');
    expectError(await repo.deleteManifest('other'), 404, 'MANIFEST_UNKNOWN');
    expectStatus(await repo.deleteManifest('one'), 202);
    expectError(await repo.deleteManifest('one'), 404, 'MANIFEST_UNKNOWN');
    expectError(await hub.admin.repo('no/such').deleteManifest('one'), 404, ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN']);
  });

  it('can be pushed again', async () => {
    const { repo, content } = await pushed('one');
    expectStatus(await repo.deleteManifest('one'), 202);
    await repo.mustPut(content.manifest, 'one');
    expect(await repo.mustPull('one')).toEqual(content.manifest.bytes);
  });
});

describe('a manifest', () => {
  it('goes with all of its tags, at once', async () => {
    const { repo, content } = await pushed('one', 'two');
    const other = image();
    await repo.mustPushImage(other, 'other');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    for (const reference of [content.manifest.digest, 'one', 'two']) await expectGone(repo, reference);
    expect(await repo.mustTags()).toEqual(['other']);
    expect(await repo.mustPull('other')).toEqual(other.manifest.bytes);
  });

  it('is 404 MANIFEST_UNKNOWN when it is not there, and the second time', async () => {
    const { repo, content } = await pushed();
    expectError(await repo.deleteManifest(unknownDigest()), 404, 'MANIFEST_UNKNOWN');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    expectError(await repo.deleteManifest(content.manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  it('stays in another repository that has it', async () => {
    const { repo, content } = await pushed('one');
    const other = await hub.repo();
    await other.mustPushImage(content, 'one');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    expect(await other.mustPull('one')).toEqual(content.manifest.bytes);
  });

  it('can be pushed again, and its old tags stay gone', async () => {
    const { repo, content } = await pushed('one');
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    await repo.mustPushImage(content, 'new');
    expect(await repo.mustPull('new')).toEqual(content.manifest.bytes);
    await expectGone(repo, 'one');
    expect(await repo.mustTags()).toEqual(['new']);
  });

  it('that an index needs is not taken from under it', async () => {
    const { repo, content } = await pushed();
    const parent = index([content.manifest]);
    await repo.mustPut(parent, 'all');
    const answer = await repo.deleteManifest(content.manifest.digest);
    expectError(answer, 405, 'UNSUPPORTED');
    expect(await repo.mustPull('all')).toEqual(parent.bytes);
    expectStatus(await repo.deleteManifest(parent.digest), 202);
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    await expectGone(repo, content.manifest.digest);
  });

  it.each(['sha256:abc', `md5:${'0'.repeat(32)}`, '.x'])(
    'is refused when the reference is none: %s',
    async (reference) => {
      const { repo } = await pushed();
      expectError(await repo.deleteManifest(reference), [400, 404]);
    },
  );
});

describe('a blob', () => {
  it('goes when nothing uses it, at once', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    expect((await repo.getBlob(content.digest)).status, 'it is in memory now').toBe(200);
    expectStatus(await repo.deleteBlob(content.digest), 202);
    expectError(await repo.getBlob(content.digest), 404, 'BLOB_UNKNOWN');
    expectBareStatus(await repo.headBlob(content.digest), 404);
    expectError(await repo.deleteBlob(content.digest), 404, 'BLOB_UNKNOWN');
  });

  it('is 405 UNSUPPORTED while a manifest uses it, and goes after the manifest', async () => {
    const { repo, content } = await pushed('one');
    for (const one of content.blobs) {
      const errors = expectError(await repo.deleteBlob(one.digest), 405, 'UNSUPPORTED');
      expect(JSON.stringify(errors), 'says which one').toContain(content.manifest.digest);
    }
    expect(await repo.mustPull('one')).toEqual(content.manifest.bytes);
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    for (const one of content.blobs) {
      expectStatus(await repo.deleteBlob(one.digest), 202);
      expectBareStatus(await repo.headBlob(one.digest), 404);
    }
  });

  it('stays in another repository that has it', async () => {
    const [repo, other] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await repo.mustPush(content);
    await other.mustPush(content);
    expectStatus(await repo.deleteBlob(content.digest), 202);
    expect((await other.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it.each(['push', 'mount'])('comes back by another %s', async (way) => {
    const [repo, other] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await repo.mustPush(content);
    await other.mustPush(content);
    expectStatus(await repo.deleteBlob(content.digest), 202);
    if (way === 'push') await repo.mustPush(content);
    else expectStatus(await repo.mount(content.digest, other.name), 201);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
    expectBareStatus(await repo.headBlob(content.digest), 200);
  });

  it('that was deleted does not satisfy a manifest', async () => {
    const repo = await hub.repo();
    const content = image();
    for (const one of content.blobs) await repo.mustPush(one);
    expectStatus(await repo.deleteBlob(content.blobs[1]?.digest ?? ''), 202);
    const errors = expectError(await repo.putManifest(content.manifest, 'v1'), 404, 'MANIFEST_BLOB_UNKNOWN');
    expect(JSON.stringify(errors)).toContain(content.blobs[1]?.digest);
  });

  it('is 404 BLOB_UNKNOWN when it is not there', async () => {
    const { repo } = await pushed();
    expectError(await repo.deleteBlob(unknownDigest()), 404, 'BLOB_UNKNOWN');
    expectError(await repo.deleteBlob('sha256:abc'), [400, 404], ['DIGEST_INVALID', 'BLOB_UNKNOWN']);
  });
});

describe('someone who may only read', () => {
  it('deletes nothing', async () => {
    const { repo, content } = await pushed('one');
    const reader = await hub.person();
    const project = repo.name.split('/')[0] ?? '';
    expectStatus(await hub.api('PATCH', `/projects/${project}`, { visibility: 'public' }), 200);
    const theirs = reader.client.repo(repo.name);
    expectError(await theirs.deleteManifest('one'), 403, 'DENIED');
    expectError(await theirs.deleteManifest(content.manifest.digest), 403, 'DENIED');
    expectError(await theirs.deleteBlob(content.blobs[0]?.digest ?? ''), 403, 'DENIED');
    expectError(await hub.stranger.request('DELETE', `/v2/${repo.name}/manifests/one`), 401, 'UNAUTHORIZED');
    expect(await theirs.mustPull('one')).toEqual(content.manifest.bytes);
  });
});
