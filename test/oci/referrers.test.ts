import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  artifact,
  describe as descriptor,
  EMPTY_JSON,
  expectStatus,
  image,
  index,
  manifest,
  MEDIA,
  nextLink,
  unknownDigest,
  type Referrers,
} from '../harness/oci-client.ts';
import { expectError } from '../harness/oci-client-expect.ts';

const hub = await testHub();
const repo = await hub.repo();

describe('a subject with referrers', async () => {
  const subject = image();
  await repo.mustPushImage(subject, 'v1');
  const sbom = artifact({
    subject: subject.manifest,
    artifactType: 'application/vnd.example.sbom',
    annotations: { 'org.example.format': 'spdx', ü: '"quoted"' },
  });
  const signature = artifact({ subject: subject.manifest, artifactType: 'application/vnd.example.signature' });
  const untyped = image({ subject: subject.manifest, annotations: { kind: 'image' } });
  for (const one of [sbom, signature, untyped]) await repo.mustPushImage(one);
  const extra = { subject: descriptor(subject.manifest), annotations: { kind: 'index' } };
  const plainIndex = index([], { extra });
  const typedIndex = index([], { extra: { ...extra, artifactType: 'application/vnd.example.index' } });
  for (const one of [plainIndex, typedIndex]) await repo.mustPut(one);

  it('are an image index of the exact type that clients compare', async () => {
    const answer = await repo.referrers(subject.manifest.digest);
    expect(answer.status).toBe(200);
    expect(answer.header('Content-Type')).toBe(MEDIA.index);
    expect(answer.header('OCI-Filters-Applied')).toBeUndefined();
    const list = answer.json<Referrers>();
    expect(list.schemaVersion).toBe(2);
    expect(list.mediaType).toBe(MEDIA.index);
    expect(list.manifests).toHaveLength(5);
  });

  it('carry type, size, artifactType and every annotation', async () => {
    const list = await repo.mustReferrers(subject.manifest.digest);
    const find = (digest: string) => list.find((one) => one.digest === digest);
    expect(find(sbom.manifest.digest)).toMatchObject({
      mediaType: MEDIA.manifest,
      size: sbom.manifest.size,
      artifactType: 'application/vnd.example.sbom',
      annotations: (JSON.parse(sbom.manifest.bytes.toString()) as { annotations: object }).annotations,
    });
    expect(find(untyped.manifest.digest), 'the type of the config stands in').toMatchObject({
      artifactType: MEDIA.config,
      annotations: { kind: 'image' },
    });
    expect(find(typedIndex.digest)).toMatchObject({
      mediaType: MEDIA.index,
      artifactType: 'application/vnd.example.index',
    });
    const plain = find(plainIndex.digest);
    expect(plain).toMatchObject({ mediaType: MEDIA.index, size: plainIndex.size, annotations: { kind: 'index' } });
    expect(plain, 'an index has no config to take it from').not.toHaveProperty('artifactType');
  });

  it('can be filtered, and the answer says that they were', async () => {
    for (const [type, digest] of [
      ['application/vnd.example.sbom', sbom.manifest.digest],
      [MEDIA.config, untyped.manifest.digest],
      ['application/vnd.example.index', typedIndex.digest],
    ] as const) {
      const answer = expectStatus(await repo.referrers(subject.manifest.digest, { artifactType: type }), 200);
      expect(answer.header('OCI-Filters-Applied')).toBe('artifactType');
      expect(answer.json<Referrers>().manifests.map((one) => one.digest)).toEqual([digest]);
    }
    const none = expectStatus(await repo.referrers(subject.manifest.digest, { artifactType: 'application/none' }), 200);
    expect(none.header('OCI-Filters-Applied')).toBe('artifactType');
    expect(none.json<Referrers>().manifests).toEqual([]);
  });

  it('can be filtered by several types, as containerd asks', async () => {
    const artifactType = ['application/vnd.example.sbom', 'application/vnd.example.signature'];
    const found = await repo.mustReferrers(subject.manifest.digest, { artifactType });
    expect(found.map((one) => one.digest).toSorted()).toEqual(
      [sbom.manifest.digest, signature.manifest.digest].toSorted(),
    );
  });

  it('lose one that is deleted at once, and are kept when the subject goes', async () => {
    const gone = artifact({ subject: subject.manifest, artifactType: 'application/vnd.example.gone' });
    await repo.mustPushImage(gone);
    expectStatus(await repo.deleteManifest(gone.manifest.digest), 202);
    expect(await repo.mustReferrers(subject.manifest.digest, { artifactType: 'application/vnd.example.gone' })).toEqual(
      [],
    );
    expectStatus(await repo.deleteManifest(subject.manifest.digest), 202);
    expect(await repo.mustReferrers(subject.manifest.digest)).toHaveLength(5);
  });
});

describe('a subject without referrers', () => {
  it.each(['sha256', 'sha512'] as const)('or without existence (%s) has an empty list', async (algorithm) => {
    for (const target of [repo, hub.admin.repo(`${repo.name}/never-used`)]) {
      const answer = await target.referrers(unknownDigest(algorithm));
      expect(answer.status).toBe(200);
      expect(answer.header('Content-Type')).toBe(MEDIA.index);
      expect(answer.json()).toEqual({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] });
    }
  });

  it.each(['latest', 'sha256:abc', 'sha256', `md5:${'0'.repeat(32)}`, `sha256:${'F'.repeat(64)}`])(
    'is 400 when it is no digest: %s',
    async (text) => {
      expectError(await repo.referrers(text), 400, 'DIGEST_INVALID');
    },
  );

  it('is found again when its referrer came first', async () => {
    const subject = image();
    const early = artifact({ subject: subject.manifest, artifactType: 'application/early' });
    await repo.mustPushImage(early);
    await repo.mustPushImage(subject);
    expect((await repo.mustReferrers(subject.manifest.digest)).map((one) => one.digest)).toEqual([
      early.manifest.digest,
    ]);
  });
});

describe('many referrers', () => {
  it('come in pages that each are an index, complete and without repeats', async () => {
    const subject = image();
    await repo.mustPushImage(subject);
    await repo.mustPush(EMPTY_JSON);
    const digests: string[] = [];
    const padding = 'x'.repeat(60_000);
    for (let at = 0; at < 80; at++) {
      const one = artifact({
        subject: subject.manifest,
        artifactType: `application/n${at % 2}`,
        annotations: { padding },
      });
      await repo.mustPut(one.manifest);
      digests.push(one.manifest.digest);
    }
    for (const [query, wanted] of [
      ['', digests],
      ['?artifactType=application%2Fn1', digests.filter((_, at) => at % 2 === 1)],
    ] as const) {
      const found: string[] = [];
      let path: string | undefined = `/v2/${repo.name}/referrers/${subject.manifest.digest}${query}`;
      for (let page = 0; path !== undefined; page++) {
        const answer = expectStatus(await repo.at(path, 'GET'), 200);
        expect(answer.header('Content-Type')).toBe(MEDIA.index);
        expect(answer.body.length, 'what containerd reads at most').toBeLessThan(4_393_216);
        if (query !== '') expect(answer.header('OCI-Filters-Applied')).toBe('artifactType');
        found.push(...answer.json<Referrers>().manifests.map((one) => one.digest));
        path = nextLink(answer);
        expect(page).toBeLessThan(100);
      }
      expect(found.toSorted()).toEqual(wanted.toSorted());
    }
  });
});

describe('fallback tags that clients made where there was no such list', () => {
  it('count: manifests listed under sha256-<hex> with a subject are referrers', async () => {
    const subject = image();
    await repo.mustPushImage(subject);
    const old = artifact({ subject: subject.manifest, artifactType: 'application/vnd.example.old' });
    await repo.mustPushImage(old);
    const list = manifest({
      schemaVersion: 2,
      mediaType: MEDIA.index,
      manifests: [descriptor(old.manifest, MEDIA.manifest, { artifactType: 'application/vnd.example.old' })],
    });
    const tag = subject.manifest.digest.replace(':', '-');
    await repo.mustPut(list, tag);
    const found = await repo.mustReferrers(subject.manifest.digest);
    expect(
      found.map((one) => one.digest),
      'once, though it is known twice',
    ).toEqual([old.manifest.digest]);
    expect((await repo.getManifest(tag)).body, 'and the tag still pulls').toEqual(list.bytes);
  });

  it('do not invent: what is listed there and has no subject is no referrer', async () => {
    const subject = image();
    const stranger = image();
    await repo.mustPushImage(subject);
    await repo.mustPushImage(stranger);
    await repo.mustPut(index([stranger.manifest]), subject.manifest.digest.replace(':', '-'));
    expect(await repo.mustReferrers(subject.manifest.digest)).toEqual([]);
  });
});
