import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus, image, manifest, type Repo } from '../harness/oci-client.ts';
import { chart, provenance, pushWithHelm, type PackedChart } from './charts.ts';
import { classic, type Classic } from './client.ts';

const hub = await testHub();
const replica = await hub.replica();

async function place(name = 'web'): Promise<{ door: Classic; elsewhere: Classic; repo: Repo }> {
  const namespace = `${await hub.project()}/charts`;
  return {
    door: classic(hub, namespace),
    // The same namespace through another process.
    elsewhere: classic({ ...hub, origin: replica.origin }, namespace),
    repo: hub.admin.repo(`${namespace}/${name}`),
  };
}

async function listed(door: Classic, name = 'web'): Promise<string[]> {
  return ((await door.index()).entries[name] ?? []).map((entry) => entry.version);
}

async function bytesByOci(repo: Repo, tag: string): Promise<Buffer> {
  const document = (await repo.getManifest(tag)).json<{ layers: { digest: string; mediaType: string }[] }>();
  const layer = document.layers.find(({ mediaType }) => mediaType.includes('chart.content'))!;
  return (await repo.getBlob(layer.digest)).body;
}

describe('a chart that was uploaded', () => {
  it('is in the index of every replica, downloads by its name, and is the same bytes through /v2', async () => {
    const { door, elsewhere, repo } = await place();
    const packed = await chart({ version: '1.2.3+build.5' });
    expect(expectStatus(await door.upload(packed.bytes), 201).body.toString()).toBe('{"saved":true}');
    for (const each of [door, elsewhere]) {
      expect((await each.index()).entries['web']).toMatchObject([
        { name: 'web', version: '1.2.3+build.5', urls: [packed.file], digest: packed.sha256, apiVersion: 'v2' },
      ]);
      expect((await each.get(`/${packed.file}`)).body).toEqual(packed.bytes);
    }
    expect(await bytesByOci(repo, '1.2.3_build.5')).toEqual(packed.bytes);
  });

  it('has the manifest and config that helm would have pushed', async () => {
    const { door, repo } = await place();
    const packed = await chart({
      metadata: { home: 'https://example.test/?a&b', maintainers: [{ name: 'A', email: 'a@b' }] },
    });
    const prov = provenance(packed);
    expectStatus(await door.form({ chart: packed.bytes, prov }), 201);
    const uploaded = await repo.getManifest('1.2.3');
    const other = hub.admin.repo(`${await hub.project()}/charts/web`);
    await pushWithHelm(other, packed, { prov });
    expect(uploaded.body.toString()).toBe((await other.getManifest('1.2.3')).body.toString());
    expect(uploaded.header('Content-Type')).toBe('application/vnd.oci.image.manifest.v1+json');
  });

  it('comes with its provenance file, in one form or later', async () => {
    const { door, repo } = await place();
    const packed = await chart();
    const prov = provenance(packed);
    expectStatus(await door.upload(packed.bytes), 201);
    expectStatus(await door.get(`/${packed.file}.prov`), 404);
    const before = (await repo.headManifest('1.2.3')).header('Docker-Content-Digest');
    expectStatus(await door.request('POST', '/api/prov', {}, prov), 201);
    expect((await door.get(`/${packed.file}.prov`)).body).toEqual(prov);
    expect((await repo.headManifest('1.2.3')).header('Docker-Content-Digest')).not.toBe(before);
    // Said again, nothing changes; another one has to be forced.
    expectStatus(await door.request('POST', '/api/prov', {}, prov), 201);
    expectStatus(await door.form({ prov: provenance(packed) }), 409);
    expectStatus(await door.form({ prov: provenance(packed) }, '?force'), 201);
    // The chart alone again does not take it away.
    expectStatus(await door.upload(packed.bytes), 201);
    expectStatus(await door.get(`/${packed.file}.prov`), 200);
  });

  it('keeps its manifest when that is signed', async () => {
    const { door, repo } = await place();
    const packed = await chart();
    expectStatus(await door.upload(packed.bytes), 201);
    const subject = await repo.getManifest('1.2.3');
    const signature = manifest({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: blob('{}').digest, size: 2 },
      layers: [],
      subject: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: subject.header('Docker-Content-Digest'),
        size: subject.body.length,
      },
    });
    await repo.mustPush(blob('{}'));
    await repo.mustPut(signature);
    const refused = expectStatus(await door.request('POST', '/api/prov', {}, provenance(packed)), 409);
    expect(refused.json<{ error: string }>().error).toMatch(/signed/);
  });

  it.each([
    ['of another chart', async () => provenance(await chart({ version: '9.9.9' }))],
    ['of other bytes', async (packed: PackedChart) => provenance(packed, { sha256: '0'.repeat(64) })],
    ['of another file', async (packed: PackedChart) => provenance(packed, { file: 'other-1.2.3.tgz' })],
    ['that is none', async () => Buffer.from('name: web')],
  ])('takes no provenance file %s', async (_what, make) => {
    const { door } = await place();
    const packed = await chart();
    expectStatus(await door.form({ chart: packed.bytes, prov: await make(packed) }), 400);
    expect(await listed(door)).toEqual([]);
  });
});

describe('a chart that helm pushed', () => {
  it('is in the index of every replica at the next request, and downloads there', async () => {
    const { door, elsewhere, repo } = await place();
    const packed = await chart({ version: '2.0.0-rc.1+b' });
    expect(await listed(elsewhere)).toEqual([]);
    await pushWithHelm(repo, packed, { prov: provenance(packed) });
    expect(await listed(elsewhere)).toEqual(['2.0.0-rc.1+b']);
    expect((await door.get(`/${packed.file}`)).body).toEqual(packed.bytes);
    expectStatus(await door.get(`/${packed.file}.prov`), 200);
  });

  it('is listed where its name and version are what the path and the tag say, and only there', async () => {
    const { door, repo } = await place();
    const packed = await chart();
    for (const tag of ['latest', '1.2.4', '1.2.3']) await pushWithHelm(repo, packed, { tag });
    const { entries } = await door.index();
    expect(Object.keys(entries)).toEqual(['web']);
    expect(entries['web']!.map((entry) => entry.version)).toEqual(['1.2.3']);
    const { door: another } = await place();
    await pushWithHelm(hub.admin.repo(`${another.namespace}/other`), packed);
    expect((await another.index()).entries).toEqual({});
    expectStatus(await another.get(`/${packed.file}`), 404);
  });

  it('is what its archive says, whatever its config says', async () => {
    const { door, repo } = await place();
    const packed = await chart({ metadata: { description: 'true' } });
    await pushWithHelm(repo, packed, {
      config: { name: 'web', version: '1.2.3', apiVersion: 'v2', description: 'a lie' },
    });
    expect((await door.index()).entries['web']![0]!['description']).toBe('true');
  });

  it('is taken, but not listed, when helm could not load it', async () => {
    const { door, repo } = await place();
    await pushWithHelm(repo, { ...(await chart()), bytes: Buffer.from('no archive') });
    expectStatus(await repo.getManifest('1.2.3'), 200);
    expect(await listed(door)).toEqual([]);
  });
});

describe('both doors', () => {
  it('see a delete of the manifest, of the tag, and of the version', async () => {
    const { door, elsewhere, repo } = await place();
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
      expectStatus(await door.upload((await chart({ version })).bytes), 201);
    }
    expect(await listed(elsewhere)).toEqual(['3.0.0', '2.0.0', '1.0.0']);
    const digest = (await repo.headManifest('1.0.0')).header('Docker-Content-Digest')!;
    expectStatus(await repo.deleteManifest(digest), 202);
    expect(await listed(elsewhere)).toEqual(['3.0.0', '2.0.0']);
    expectStatus(await elsewhere.get('/web-1.0.0.tgz'), 404);
    expectStatus(await repo.deleteManifest('2.0.0'), 202);
    expect(await listed(elsewhere)).toEqual(['3.0.0']);
    const deleted = expectStatus(await door.request('DELETE', '/api/charts/web/3.0.0'), 200);
    expect(deleted.body.toString()).toBe('{"deleted":true}');
    expect(await listed(elsewhere)).toEqual([]);
    expectStatus(await repo.getManifest('3.0.0'), 404);
    expectStatus(await door.request('DELETE', '/api/charts/web/3.0.0'), 404);
  });

  it('store one of many charts that come at once as one version', async () => {
    const { door, elsewhere } = await place();
    const packed = await Promise.all(
      Array.from({ length: 12 }, (_, i) => chart({ metadata: { description: `number ${i}` } })),
    );
    const answers = await Promise.all(packed.map(({ bytes }, i) => (i % 2 === 0 ? door : elsewhere).upload(bytes)));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array.from({ length: 11 }, () => 409)]);
    expect((await door.index()).entries['web']).toMatchObject([{ digest: packed[statuses.indexOf(201)]!.sha256 }]);
  });

  it('see what comes back after a delete', async () => {
    const { door, elsewhere, repo } = await place();
    const packed = await chart();
    await pushWithHelm(repo, packed);
    expectStatus(await door.request('DELETE', '/api/charts/web/1.2.3'), 200);
    expectStatus(await door.upload(packed.bytes), 201);
    expect(await listed(elsewhere)).toEqual(['1.2.3']);
    expect(await bytesByOci(repo, '1.2.3')).toEqual(packed.bytes);
  });

  it('keep what another tag names when a version is deleted', async () => {
    const { door, repo } = await place();
    await pushWithHelm(repo, await chart(), { tag: 'stable' });
    await pushWithHelm(repo, await chart());
    expectStatus(await door.request('DELETE', '/api/charts/web/1.2.3'), 200);
    expectStatus(await repo.getManifest('stable'), 200);
    expect(await listed(door)).toEqual([]);
  });

  it('see a version whose tag was moved to other bytes', async () => {
    const { door, elsewhere, repo } = await place();
    await pushWithHelm(repo, await chart());
    const other = await chart({ metadata: { description: 'other' } });
    expect(await listed(elsewhere)).toEqual(['1.2.3']);
    await pushWithHelm(repo, other);
    expect((await elsewhere.index()).entries['web']).toMatchObject([{ digest: other.sha256, description: 'other' }]);
    expect((await door.get(`/${other.file}`)).body).toEqual(other.bytes);
  });

  it('list no more what is moved to a chart of another version', async () => {
    const { door, repo } = await place();
    await pushWithHelm(repo, await chart());
    await pushWithHelm(repo, await chart({ version: '4.0.0' }), { tag: '1.2.3' });
    expect(await listed(door)).toEqual([]);
  });

  it('do not let a version become an image, or an image a version', async () => {
    const { door, repo } = await place();
    const content = image();
    await repo.mustPushImage(content, '1.2.3');
    expectStatus(await door.upload((await chart()).bytes), 409);
    expectStatus(await door.upload((await chart()).bytes, '?force'), 409);
    expectStatus(await door.upload((await chart({ version: '2.0.0' })).bytes), 201);
    expectStatus(await repo.putManifest(content.manifest, '2.0.0'), 409);
  });

  it('list one of two charts whose files would have one name', async () => {
    const { door } = await place();
    expectStatus(await door.upload((await chart({ name: 'web', version: '2-a-1.0.0' })).bytes), 201);
    await pushWithHelm(hub.admin.repo(`${door.namespace}/web-2-a`), await chart({ name: 'web-2-a', version: '1.0.0' }));
    expect(Object.keys((await door.index()).entries)).toEqual(['web']);
  });
});
