import { describe, expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image } from '../harness/oci-client.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });
const registry = hub.context.registry;

describe('a blob that nothing uses', () => {
  it('goes with its bytes, for every reader at once, and can be pushed again', async () => {
    const reader = await hub.person();
    const project = await hub.project({ grants: { [reader.name]: 'reader' } });
    const repo = hub.admin.repo(`${project}/app`);
    const theirs = reader.client.repo(repo.name);
    const content = blob(1000);
    await repo.mustPush(content);
    // Remembered by the worker from here on, whole.
    expectStatus(await theirs.getBlob(content.digest), 200);
    expect(await collect(registry)).toMatchObject({
      links: 1,
      blobs: 1,
      bytes: 1000,
      objects: 1,
      objectBytes: 1000,
      busy: false,
      more: false,
    });
    expectStatus(await theirs.getBlob(content.digest), 404);
    expectStatus(await repo.headBlob(content.digest), 404);
    await hub.assertNothingLeft();
    await repo.mustPush(content);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
    await collect(registry);
  });

  it('goes from one repository, and stays in another that uses it', async () => {
    const [one, other] = [await hub.repo(), await hub.repo()];
    const content = image({ layers: [100] });
    await one.mustPushImage(content, 'v1');
    for (const each of content.blobs) await other.mustPush(each);
    expect(await collect(registry)).toMatchObject({ links: 2, blobs: 0 });
    await one.mustPull('v1');
    expectStatus(await other.headBlob(content.blobs[0]?.digest ?? ''), 404);
    expectStatus(await one.deleteManifest(content.manifest.digest), 202);
    await collect(registry);
  });

  it('waits for the end of its delays', async () => {
    const patient = { ...registry, clocks: { ...registry.clocks, delay: 3_600 } };
    const repo = await hub.repo();
    await repo.mustPush(blob());
    expect((await collect(patient)).links).toBe(0);
    const later = { ...registry, clocks: { ...registry.clocks, bytesDelay: 3_600 } };
    expect(await collect(later)).toMatchObject({ links: 1, blobs: 1, objects: 0 });
    expect((await collect(registry)).objects, 'its hour is in the row').toBe(0);
    await hub.db.pool.query('update dead_objects set delete_after = now()');
    expect((await collect(registry)).objects).toBe(1);
  });
});

describe('an image', () => {
  it('stays whole while it is there, and goes with all it needed', async () => {
    const repo = await hub.repo();
    const content = image({ layers: [100, 200] });
    await repo.mustPushImage(content, 'v1');
    expect((await collect(registry)).links).toBe(0);
    await repo.mustPull('v1');
    expectStatus(await repo.deleteManifest('v1'), 202);
    expect(await collect(registry), 'a tag takes nothing with it').toMatchObject({ manifests: 0, links: 0 });
    expectStatus(await repo.deleteManifest(content.manifest.digest), 202);
    expect(await collect(registry)).toMatchObject({ manifests: 1, links: 3, blobs: 3, objects: 3 });
    expect(await collect(registry), 'and twice is once').toMatchObject({
      manifests: 0,
      links: 0,
      blobs: 0,
      objects: 0,
    });
    await repo.mustPushImage(content, 'v1');
    await repo.mustPull('v1');
  });

  it('shares its layers with another that stays', async () => {
    const repo = await hub.repo();
    const base = image({ layers: [300] });
    const derived = image({ layers: [base.blobs[1]?.bytes ?? 0, 50] });
    await repo.mustPushImage(base);
    await repo.mustPushImage(derived, 'v1');
    expectStatus(await repo.deleteManifest(base.manifest.digest), 202);
    expect(await collect(registry)).toMatchObject({ manifests: 1, links: 1, blobs: 1 });
    await repo.mustPull('v1');
  });
});

describe('an upload that nobody continues', () => {
  it('goes with what came', async () => {
    const repo = await hub.repo();
    const location = await repo.mustStart();
    expectStatus(await repo.patch(location, Buffer.alloc(500)), 202);
    expect((await collect(registry, { uploadIdleSeconds: 60 })).uploads).toBe(0);
    await hub.db.pool.query("update uploads set touched_at = now() - interval '61 seconds'");
    expect(await collect(registry, { uploadIdleSeconds: 60 })).toMatchObject({
      uploads: 1,
      objects: 1,
      objectBytes: 500,
    });
    await hub.assertNothingLeft();
  });
});
