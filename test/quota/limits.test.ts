import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image } from '../harness/oci-client.ts';
import { expectExact, expectRefused, limit, limited, quotaOf, streamed } from './harness.ts';

const hub = await testHub();

describe('what counts', () => {
  it('is each blob once per project, and each manifest, with a limit and without', async () => {
    for (const max_bytes of [null, 1_000_000]) {
      const project = await limited(hub, { max_bytes });
      const one = image({ layers: [10_000] });
      await hub.admin.repo(`${project}/a`).mustPushImage(one, 'v1');
      await hub.admin.repo(`${project}/b`).mustPushImage(one, 'v1');
      const quota = await expectExact(hub, project);
      const blobs = one.blobs.reduce((sum, { size }) => sum + size, 0);
      expect(quota).toMatchObject({ used_bytes: blobs + 2 * one.manifest.size, artifacts: 2, reserved_bytes: 0 });
    }
  });

  it('includes the trash, which the answer shows', async () => {
    const project = await limited(hub, { max_bytes: 100_000 });
    const repo = hub.admin.repo(`${project}/app`);
    const [shared, gone] = [image({ layers: [1_000] }), image({ layers: [2_000] })];
    await repo.mustPushImage(shared, 'kept');
    await repo.mustPushImage(gone, 'gone');
    const before = await quotaOf(hub, project);
    expectStatus(await repo.deleteManifest(gone.manifest.digest), 202);
    const after = await expectExact(hub, project);
    const trash = gone.manifest.size + gone.blobs.reduce((sum, { size }) => sum + size, 0);
    expect(after).toEqual({ ...before, trash_bytes: trash, trash_artifacts: 1 });
  });

  it('includes uploads under way, as far as they came', async () => {
    const project = await limited(hub, { max_bytes: 100_000 });
    const repo = hub.admin.repo(`${project}/app`);
    const content = blob(40_000);
    const location = await repo.mustStart();
    expectStatus(await repo.patch(location, content.bytes.subarray(0, 10_000)), 202);
    expect(await expectExact(hub, project)).toMatchObject({ reserved_bytes: 10_000, used_bytes: 0 });
    expectStatus(await repo.patch(location, streamed(content.bytes.subarray(10_000, 30_000))), 202);
    expect(await expectExact(hub, project)).toMatchObject({ reserved_bytes: 30_000, used_bytes: 0 });
    expectStatus(await repo.close(location, content.digest, content.bytes.subarray(30_000)), 201);
    expect(await expectExact(hub, project)).toMatchObject({ reserved_bytes: 0, used_bytes: 40_000 });
    const second = await repo.mustStart();
    expectStatus(await repo.patch(second, content.bytes), 202);
    expect(await quotaOf(hub, project)).toMatchObject({ reserved_bytes: 40_000 });
    expectStatus(await repo.at(second, 'DELETE'), 204);
    expect(await expectExact(hub, project)).toMatchObject({ reserved_bytes: 0, used_bytes: 40_000 });
  });

  it('gives back what was taken for bytes that did not come', async () => {
    const project = await limited(hub, { max_bytes: 100 * 2 ** 20 });
    const repo = hub.admin.repo(`${project}/app`);
    const content = blob(30_000);
    const location = await repo.mustStart();
    // Without a length, where there is room: a step ahead, and back again.
    expectStatus(await repo.patch(location, streamed(content.bytes.subarray(0, 10_000))), 202);
    expect(await quotaOf(hub, project)).toMatchObject({ reserved_bytes: 10_000 });
    // With the last bytes and a digest that is not theirs.
    expect((await repo.close(location, blob().digest, content.bytes.subarray(10_000))).status).toBe(400);
    expect(await quotaOf(hub, project)).toMatchObject({ reserved_bytes: 10_000 });
    expectStatus(await repo.close(location, content.digest, content.bytes.subarray(10_000)), 201);
    expect(await expectExact(hub, project)).toMatchObject({ reserved_bytes: 0, used_bytes: 30_000 });
  });
});

describe('a push into a full project', () => {
  it('is refused before its body, with the numbers, and leaves nothing', async () => {
    const project = await limited(hub, { max_bytes: 10_000 });
    const repo = hub.admin.repo(`${project}/app`);
    await repo.mustPush(blob(8_000));
    const tooMuch = blob(3_000);
    const location = await repo.mustStart();
    const headers = { 'Content-Length': '3000', Expect: '100-continue' };
    const answer = await repo.at(location, 'PATCH', { headers, body: tooMuch.bytes });
    expect(answer.continued).toBe(false);
    expect(expectRefused(answer)).toMatchObject({ max_bytes: 10_000, used: 8_000, reserved: 0, needed: 3_000 });
    expect(answer.body.toString()).toContain(
      `Project ${project} is full: its limit is 9.77 KiB, 7.81 KiB are used, and this needs 2.93 KiB`,
    );
    expectStatus(await repo.at(location, 'GET'), 404);
    expectRefused(await repo.post({ digest: tooMuch.digest }, { body: tooMuch.bytes }));
    expectRefused(await repo.post({ digest: tooMuch.digest }, { body: streamed(tooMuch.bytes, 500) }));
    expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 8_000, reserved_bytes: 0 });
    const rows = await hub.db.pool.query(
      `select 1 from uploads u join repositories r on r.id = u.repository_id where r.path = $1`,
      [repo.name],
    );
    expect(rows.rowCount).toBe(0);
    // What fits, goes.
    await repo.mustPush(blob(2_000));
  });

  it('is let through when it brings nothing new', async () => {
    const project = await hub.project();
    const repo = hub.admin.repo(`${project}/app`);
    const content = image();
    await repo.mustPushImage(content, 'v1');
    await limit(hub, project, { max_bytes: 1, max_artifacts: 1 });
    await repo.mustPut(content.manifest, 'v2');
    const [layer] = content.blobs;
    expectStatus(await hub.admin.repo(`${project}/other`).mount(layer!.digest, repo.name), 201);
    expectStatus(await hub.admin.repo(`${project}/third`).post({ digest: layer!.digest }, { body: layer!.bytes }), 201);
    expectStatus(
      await hub.admin.repo(`${project}/fourth`).post({ digest: layer!.digest }, { body: streamed(layer!.bytes) }),
      201,
    );
    await expectExact(hub, project);
    expectRefused(await repo.post({ digest: blob(1).digest }, { body: blob(1).bytes }));
  });

  it('is refused by the number of artifacts', async () => {
    const project = await limited(hub, { max_artifacts: 2 });
    const repo = hub.admin.repo(`${project}/app`);
    const [one, two, three] = [image(), image(), image()];
    for (const each of [one, two]) await repo.mustPushImage(each, 'v');
    for (const each of three.blobs) await repo.mustPush(each);
    const answer = await repo.putManifest(three.manifest, 'v');
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain('its limit is 2 artifacts, 2 are there, and this needs 1 more');
    expect(await repo.mustPull('v')).toEqual(two.manifest.bytes);
    await expectExact(hub, project);
  });

  it('is refused by a mount from another project that brings something new', async () => {
    const source = await hub.repo();
    const content = blob(5_000);
    await source.mustPush(content);
    const project = await limited(hub, { max_bytes: 4_000 });
    const target = hub.admin.repo(`${project}/app`);
    expectRefused(await target.mount(content.digest, source.name));
    await expectExact(hub, project);
    await limit(hub, project, { max_bytes: 5_000 });
    expectStatus(await target.mount(content.digest, source.name), 201);
    await expectExact(hub, project);
  });
});

it('a limit holds from its answer on, whatever was pushed before without one', async () => {
  const project = await hub.project();
  const repo = hub.admin.repo(`${project}/app`);
  const location = await repo.mustStart();
  const content = blob(5_000);
  expectStatus(await repo.patch(location, content.bytes), 202);
  await repo.mustPush(blob(3_000));
  await limit(hub, project, { max_bytes: 6_000 });
  expectRefused(await repo.close(location, content.digest));
  await expectExact(hub, project);
  await limit(hub, project, { max_bytes: null });
  await repo.mustPush(content);
  expect(await expectExact(hub, project)).toMatchObject({ used_bytes: 8_000 });
});
