import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  blob,
  expectStatus,
  image,
  index,
  locationOf,
  manifest,
  MEDIA,
  describe as descriptor,
  unknownDigest,
} from '../harness/oci-client.ts';
import { expectBareStatus, expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();

describe('mount', () => {
  it('links the blob without a byte sent, and says where it is', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await source.mustPush(content);
    const answer = await target.mount(content.digest, source.name);
    expect(answer.status).toBe(201);
    expect(locationOf(answer)).toBe(`/v2/${target.name}/blobs/${content.digest}`);
    expect(answer.header('Docker-Content-Digest')).toBe(content.digest);
    expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('works without from, within a project and from public ones', async () => {
    const [source, open] = [await hub.repo(), await hub.repo({ visibility: 'public' })];
    for (const [from, target] of [
      [source, hub.admin.repo(`${source.name}/sibling`)],
      [open, await hub.repo()],
    ] as const) {
      const content = blob();
      await from.mustPush(content);
      expectStatus(await target.mount(content.digest), 201);
      expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
    }
  });

  it('is 201 when the blob is already there', async () => {
    const repo = await hub.repo();
    const content = blob();
    await repo.mustPush(content);
    expectStatus(await repo.mount(content.digest, repo.name), 201);
    expectStatus(await repo.mount(content.digest), 201);
  });

  it('keeps the blob when the source loses it', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await source.mustPush(content);
    expectStatus(await target.mount(content.digest, source.name), 201);
    expectStatus(await source.deleteBlob(content.digest), 202);
    expect((await target.getBlob(content.digest)).body).toEqual(content.bytes);
  });

  it('does not need pull on the source in the token: the rights of its owner decide', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await source.mustPush(content);
    const scopes = [`repository:${target.name}:pull,push`];
    expectStatus(await target.post({ mount: content.digest, from: source.name }, { scopes }), 201);
  });

  it('mounts from a public project for anyone who may push to the target', async () => {
    const source = await hub.repo({ visibility: 'public' });
    const content = blob();
    await source.mustPush(content);
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'writer' } });
    expectStatus(await writer.client.repo(`${project}/named`).mount(content.digest, source.name), 201);
    expectStatus(await writer.client.repo(`${project}/unnamed`).mount(content.digest), 201);
  });
});

describe('a mount that cannot be', () => {
  it.each(['from a repository that lacks it', 'from no repository', 'without from'])(
    'opens an upload that works: %s',
    async (way) => {
      const repo = await hub.repo();
      const other = await hub.repo();
      await other.mustPush(blob());
      const content = blob();
      const from = { 'from a repository that lacks it': other.name, 'from no repository': 'no/body' }[way];
      const answer = await repo.mount(content.digest, from);
      expect(answer.status).toBe(202);
      expectStatus(await repo.close(locationOf(answer), content.digest, content.bytes), 201);
      expect((await repo.getBlob(content.digest)).body).toEqual(content.bytes);
    },
  );

  it('opens an upload when the source has deleted the blob', async () => {
    const [source, target] = [await hub.repo(), await hub.repo()];
    const content = blob();
    await source.mustPush(content);
    expectStatus(await source.deleteBlob(content.digest), 202);
    for (const from of [source.name, undefined]) {
      const answer = expectStatus(await target.mount(content.digest, from), 202);
      await target.at(locationOf(answer), 'DELETE');
    }
  });

  it.each(['', 'sha256:abc', 'latest'])(
    'with a digest that is none (%j) is refused or opens an upload',
    async (digest) => {
      const repo = await hub.repo();
      const answer = await repo.mount(digest, 'some/where');
      if (answer.status === 202) await repo.at(locationOf(answer), 'DELETE');
      else expectError(answer, 400, 'DIGEST_INVALID');
    },
  );

  it.each(['UPPER/case', '../x', 'a//b', ''])(
    'from a name that is none (%j) is refused or opens an upload',
    async (from) => {
      const repo = await hub.repo();
      const scopes = [`repository:${repo.name}:pull,push`];
      const answer = await repo.post({ mount: unknownDigest(), from }, { scopes });
      if (answer.status === 202) await repo.at(locationOf(answer), 'DELETE');
      else expectError(answer, 400, 'NAME_INVALID');
    },
  );
});

describe('someone who may push here but not pull there', () => {
  const secret = image();

  async function scene() {
    const source = await hub.repo();
    await source.mustPushImage(secret, 'v1');
    const writer = await hub.person();
    const project = await hub.project({ grants: { [writer.name]: 'writer' } });
    return { source, target: writer.client.repo(`${project}/app`) };
  }

  it('cannot tell a secret blob from one that does not exist', async () => {
    const { source, target } = await scene();
    for (const from of [source.name, undefined]) {
      const there = await target.mount(secret.blobs[0]?.digest ?? '', from);
      const nowhere = await target.mount(unknownDigest(), from);
      expect(there.status).toBe(202);
      expect(shape(there)).toEqual(shape(nowhere));
      await target.at(locationOf(there), 'DELETE');
      await target.at(locationOf(nowhere), 'DELETE');
    }
    for (const one of secret.blobs) expectBareStatus(await target.headBlob(one.digest), 404);
  });

  it('cannot reach it through a manifest that names it', async () => {
    const { target } = await scene();
    for (const one of secret.blobs)
      await target.mount(one.digest).then((answer) => target.at(locationOf(answer), 'DELETE'));
    const errors = expectError(await target.putManifest(secret.manifest, 'stolen'), 404, 'MANIFEST_BLOB_UNKNOWN');
    expect(JSON.stringify(errors)).toContain(secret.blobs[0]?.digest);
    expectError(await target.putManifest(index([secret.manifest]), 'stolen'), 404, 'MANIFEST_BLOB_UNKNOWN');
    expectError(await target.getManifest(secret.manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  it('cannot reach it through a subject', async () => {
    const { target } = await scene();
    const layer = blob();
    await target.mustPush(layer);
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA.manifest,
      config: descriptor(layer, MEDIA.config),
      layers: [],
      subject: descriptor(secret.manifest),
    };
    await target.mustPut(manifest(document), 'signature');
    expectError(await target.getManifest(secret.manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  it('can push the same bytes, which are then stored once', async () => {
    const { target } = await scene();
    await target.mustPushImage(secret, 'mine');
    expect(await target.mustPull('mine')).toEqual(secret.manifest.bytes);
    for (const one of secret.blobs) {
      const { rows } = await hub.db.pool.query('select 1 from blobs where digest = $1', [
        Buffer.from(`01${one.digest.slice(7)}`, 'hex'),
      ]);
      expect(rows).toHaveLength(1);
    }
  });

  function shape(answer: { status: number; rawHeaders: readonly string[]; body: Buffer }) {
    const names = answer.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    return { status: answer.status, names: names.toSorted(), body: answer.body.toString() };
  }
});
