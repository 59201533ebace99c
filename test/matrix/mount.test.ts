/** Whatever names content that one may not read is answered as if that content were nowhere. */
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  blob,
  describe as descriptor,
  expectStatus,
  image,
  index,
  manifest,
  MEDIA,
  send,
  unknownDigest,
  unique,
  type Answer,
} from '../harness/oci-client.ts';

const hub = await testHub();
const writer = await hub.person();
const [mine, secret] = [await hub.project({ grants: { [writer.name]: 'owner' } }), await hub.project()];
const target = writer.client.repo(`${mine}/app`);
const source = hub.admin.repo(`${secret}/app`);
const hidden = image();
await source.mustPushImage(hidden, 'v1');
const theirs = hidden.blobs[0]!;
// The repository is there already, so that no answer differs by making it.
await target.mustPush(blob());

/** What a client can see, without what is random or was asked for. */
function seen(answer: Answer, asked: readonly string[]) {
  const headers = Object.fromEntries(
    answer.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), answer.rawHeaders[i + 1]!]] : [])),
  );
  const id = headers['docker-upload-uuid'];
  const neutral = (text: string): string =>
    [...asked, headers['x-request-id']!, ...(id === undefined ? [] : [id])].reduce(
      (left, word) => left.replaceAll(word, '…'),
      text,
    );
  const told = Object.entries(headers).map(([name, value]) => [name, name === 'date' ? '' : neutral(value)]);
  return { status: answer.status, headers: Object.fromEntries(told), body: neutral(answer.body.toString('utf8')) };
}

describe('a mount', () => {
  it.each(['from its repository', 'from nowhere in particular', 'from a repository that is not there'])(
    'of a blob that one may not read, %s, is as one of a blob that is nowhere',
    async (how) => {
      const from = {
        'from its repository': source.name,
        'from a repository that is not there': `${unique('gone')}/app`,
      }[how];
      const nowhere = unknownDigest();
      const [forbidden, missing] = [await target.mount(theirs.digest, from), await target.mount(nowhere, from)];
      expect(forbidden.status).toBe(202);
      expect(seen(forbidden, [theirs.digest])).toEqual(seen(missing, [nowhere]));
      expect((await target.headBlob(theirs.digest)).status).toBe(404);
    },
  );

  it('is so over every transport, also when the token was asked for the source', async () => {
    const basic = hub.client(writer.credentials, 'basic').repo(target.name);
    const nowhere = unknownDigest();
    const [forbidden, missing] = [
      await basic.mount(theirs.digest, source.name),
      await basic.mount(nowhere, source.name),
    ];
    expect(forbidden.status).toBe(202);
    expect(seen(forbidden, [theirs.digest])).toEqual(seen(missing, [nowhere]));
  });

  it('works once the source may be read, and not any more when that is taken back', async () => {
    const grant = await hub.api('PUT', `/projects/${secret}/grants`, { subject: writer.name, role: 'reader' });
    const other = writer.client.repo(`${mine}/other`);
    expectStatus(await other.mount(theirs.digest, source.name), 201);
    expectStatus(await hub.api('DELETE', `/projects/${secret}/grants/${grant.json<{ id: string }>().id}`), 204);
    expectStatus(await writer.client.repo(`${mine}/third`).mount(hidden.blobs[1]!.digest, source.name), 202);
  });
});

describe('a manifest', () => {
  it('that names a blob which one may not read is refused as one that names a blob which is nowhere', async () => {
    const config = blob('{}');
    await target.mustPush(config);
    const make = (digest: string, size: number) =>
      manifest({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        config: descriptor(config, MEDIA.config),
        layers: [{ mediaType: MEDIA.layer, digest, size }],
      });
    const nowhere = unknownDigest();
    const one = hidden.blobs[1]!;
    const [forbidden, missing] = [
      await target.putManifest(make(one.digest, one.size), 'v1'),
      await target.putManifest(make(nowhere, one.size), 'v1'),
    ];
    expect(forbidden.status).toBe(404);
    expect(seen(forbidden, [one.digest])).toEqual(seen(missing, [nowhere]));
  });

  it('that lists a manifest which one may not read is refused as one that lists nothing there is', async () => {
    const nowhere = { ...hidden.manifest, digest: unknownDigest() };
    const [forbidden, missing] = [
      await target.putManifest(index([hidden.manifest]), 'v1'),
      await target.putManifest(index([nowhere]), 'v1'),
    ];
    expect(forbidden.status).toBe(404);
    expect(seen(forbidden, [hidden.manifest.digest])).toEqual(seen(missing, [nowhere.digest]));
  });

  it('may have any subject, there or not, and learns nothing of it', async () => {
    const about = (digest: string) =>
      index([], { extra: { subject: { ...descriptor(hidden.manifest, MEDIA.manifest), digest } } });
    const nowhere = unknownDigest();
    const contents = [about(hidden.manifest.digest), about(nowhere)] as const;
    const [forbidden, missing] = [await target.putManifest(contents[0]), await target.putManifest(contents[1])];
    expect(forbidden.status).toBe(201);
    expect(seen(forbidden, [hidden.manifest.digest, contents[0].digest])).toEqual(
      seen(missing, [nowhere, contents[1].digest]),
    );
    const referrers = await target.request('GET', `/referrers/${hidden.manifest.digest}`);
    expect(referrers.json<{ manifests: unknown[] }>().manifests).toHaveLength(1);
  });
});

it('the bytes themselves open what only their digest does not', async () => {
  const before = await hub.db.pool.query('select 1 from blobs');
  await target.mustPush(theirs);
  expect((await target.getBlob(theirs.digest)).body).toEqual(theirs.bytes);
  expect((await hub.db.pool.query('select 1 from blobs')).rowCount).toBe(before.rowCount);
  expect((await send(hub.origin, { path: `/v2/${source.name}/blobs/${theirs.digest}` })).status).toBe(401);
});
