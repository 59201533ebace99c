import { describe, expect, it } from 'vitest';
import { collect } from '../../src/registry/gc/collect.ts';
import { testHub } from '../harness/hub.ts';
import { blob, image } from '../harness/oci-client.ts';

const hub = await testHub({ config: { gc: { undo: 0, delay: 0, bytesDelay: 0, lease: 0 } } });

describe('what nothing uses', () => {
  it('goes, with its bytes', async () => {
    const repo = await hub.repo();
    const content = blob(1000);
    await repo.mustPush(content);
    const report = await collect(hub.context.registry);
    expect(report).toMatchObject({ links: 1, blobs: 1, bytes: 1000, objects: 1, objectBytes: 1000, busy: false });
    expect((await repo.headBlob(content.digest)).status).toBe(404);
    await repo.mustPush(content);
    expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
  });
  it('image goes after delete', async () => {
    const repo = await hub.repo();
    const content = image({ layers: [100, 200] });
    await repo.mustPushImage(content, 'v1');
    await collect(hub.context.registry);
    await repo.mustPull('v1');
    expect((await repo.deleteManifest(content.manifest.digest)).status).toBe(202);
    const report = await collect(hub.context.registry);
    expect(report).toMatchObject({ manifests: 1, links: 3, blobs: 3, objects: 3 });
  });
});
