import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, index, type Repo } from '../harness/oci-client.ts';

const hub = await testHub();
const ROUNDS = 40;

/** What is answered with success must hold: a manifest that is there can be pulled with all it names. */
async function expectWhole(repo: Repo, reference: string): Promise<void> {
  const head = await repo.headManifest(reference);
  if (head.status === 404) return;
  expect(head.status).toBe(200);
  await repo.mustPull(reference);
}

describe('a delete meets a push', () => {
  it('of a manifest that needs the blob: one of them is refused', async () => {
    const repo = await hub.repo();
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const content = image({ layers: [100] });
      for (const one of content.blobs) await repo.mustPush(one);
      const layer = content.blobs[1] ?? blob();
      const [put, gone] = await Promise.all([
        repo.putManifest(content.manifest, `r${round}`),
        repo.deleteBlob(layer.digest),
      ]);
      outcomes.add(`${put.status} ${gone.status}`);
      expect(['201 405', '404 202']).toContain(`${put.status} ${gone.status}`);
      await expectWhole(repo, `r${round}`);
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });

  it('of an index that lists the manifest: one of them is refused', async () => {
    const repo = await hub.repo();
    for (let round = 0; round < ROUNDS; round++) {
      const child = image({ layers: [100] });
      await repo.mustPushImage(child);
      const parent = index([child.manifest]);
      const [put, gone] = await Promise.all([
        repo.putManifest(parent, `r${round}`),
        repo.deleteManifest(child.manifest.digest),
      ]);
      expect(['201 405', '404 202']).toContain(`${put.status} ${gone.status}`);
      await expectWhole(repo, `r${round}`);
    }
  });

  it('of a tag for the manifest: a tag that is there has a manifest', async () => {
    const repo = await hub.repo();
    for (let round = 0; round < ROUNDS; round++) {
      const content = index([], { extra: { annotations: { round: String(round) } } });
      await repo.mustPut(content, 'before');
      const [put, gone] = await Promise.all([repo.putManifest(content, 'after'), repo.deleteManifest(content.digest)]);
      expect(put.status).toBe(201);
      expect(gone.status).toBe(202);
      for (const tag of await repo.mustTags()) await repo.mustPull(tag);
      await expectWhole(repo, content.digest);
      await repo.deleteManifest(content.digest);
    }
  });

  it('of the same blob: afterwards every answer about it agrees', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    for (let round = 0; round < ROUNDS; round++) {
      const [push, gone] = await Promise.all([
        repo.post({ digest: content.digest }, { body: content.bytes }),
        repo.deleteBlob(content.digest),
      ]);
      expect(push.status).toBe(201);
      expect([202, 404]).toContain(gone.status);
      const [head, get] = [await repo.headBlob(content.digest), await repo.getBlob(content.digest)];
      expect([200, 404]).toContain(head.status);
      expect(get.status).toBe(head.status);
      await repo.mustPush(content);
      expect((await repo.getBlob(content.digest)).status, 'a push after the delete counts').toBe(200);
    }
  });
});

describe('a delete meets a mount', () => {
  it('at the source: a mount that succeeded has its bytes', async () => {
    const source = await hub.repo();
    for (let round = 0; round < ROUNDS; round++) {
      const target = hub.admin.repo(`${source.name}/t${round}`);
      const content = blob();
      await source.mustPush(content);
      const [mount, gone] = await Promise.all([
        target.mount(content.digest, source.name),
        source.deleteBlob(content.digest),
      ]);
      expect(gone.status).toBe(202);
      expect([201, 202]).toContain(mount.status);
      if (mount.status === 201) expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
      else await target.at(mount.header('Location') ?? '', 'DELETE');
    }
  });

  it('at the target: afterwards every answer about it agrees', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    for (let round = 0; round < ROUNDS; round++) {
      const content = blob();
      await source.mustPush(content);
      await target.mustPush(content);
      const [mount, gone] = await Promise.all([
        target.mount(content.digest, source.name),
        target.deleteBlob(content.digest),
      ]);
      expect(mount.status).toBe(201);
      expect([202, 404]).toContain(gone.status);
      expect((await target.getBlob(content.digest)).status).toBe((await target.headBlob(content.digest)).status);
    }
  });
});

describe('a sparse manifest meets the blob it waits for', () => {
  it('and is bound to it whoever comes first', async () => {
    const repo = await hub.repo({ allowSparse: true });
    for (let round = 0; round < ROUNDS; round++) {
      const content = image({ layers: [100] });
      const [put, ...pushes] = await Promise.all([
        repo.putManifest(content.manifest, `r${round}`),
        ...content.blobs.map((one) => repo.post({ digest: one.digest }, { body: one.bytes })),
      ]);
      expectStatus(put, 201);
      for (const push of pushes) expectStatus(push, 201);
      await repo.mustPull(`r${round}`);
      for (const one of content.blobs)
        expect((await repo.deleteBlob(one.digest)).status, 'the manifest holds it').toBe(405);
    }
  });

  it('and a child is protected whoever comes first', async () => {
    const repo = await hub.repo({ allowSparse: true });
    for (let round = 0; round < ROUNDS; round++) {
      const child = index([], { extra: { annotations: { round: String(round) } } });
      const parent = index([child]);
      const answers = await Promise.all([repo.putManifest(parent, `r${round}`), repo.putManifest(child)]);
      for (const answer of answers) expectStatus(answer, 201);
      await repo.mustPull(`r${round}`);
      expect((await repo.deleteManifest(child.digest)).status).toBe(405);
    }
  });
});
