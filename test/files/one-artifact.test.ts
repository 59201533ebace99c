import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import {
  artifact,
  blob,
  describe as descriptor,
  EMPTY_JSON,
  expectStatus,
  image,
  index,
  manifest,
  MEDIA,
  type Blob,
} from '../harness/oci-client.ts';
import { newFiles, sha256, type FilesClient } from './harness.ts';

const hub = await testHub();
const FILE_TYPE = 'application/vnd.berth.file.v1';
const TITLE = 'org.opencontainers.image.title';

interface Document {
  readonly artifactType: string;
  readonly config: { mediaType: string; digest: string };
  readonly layers: { digest: string; size: number; annotations: Record<string, string> }[];
  readonly annotations?: Record<string, string>;
}

const v2 = (files: FilesClient) => hub.admin.repo(files.repository);
const digestOf = async (files: FilesClient, tag: string) =>
  expectStatus(await v2(files).headManifest(tag), 200).header('Docker-Content-Digest') ?? '';

async function history(files: FilesClient, tag: string): Promise<[string | null, string | null][]> {
  const { rows } = await hub.db.pool.query<{ before: string | null; after: string | null }>(
    `select encode(old_digest, 'hex') as before, encode(new_digest, 'hex') as after
     from tag_history h join repositories r on r.id = h.repository_id where r.path = $1 and h.name = $2 order by h.id`,
    [files.repository, tag],
  );
  const digest = (text: string | null) => text && `sha256:${text.slice(2)}`;
  return rows.map(({ before, after }) => [digest(before), digest(after)]);
}

/** What oras pushes: layers with titles. */
async function pushTitled(
  files: FilesClient,
  tag: string,
  layers: readonly { title?: string; more?: Record<string, string>; type?: string; content: Blob }[],
  extra: Record<string, unknown> = {},
) {
  for (const { content } of layers) await v2(files).mustPush(content);
  await v2(files).mustPush(EMPTY_JSON);
  const document = manifest({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: 'application/vnd.example.tool',
    config: descriptor(EMPTY_JSON, MEDIA.empty),
    layers: layers.map(({ title, more, type, content }) => {
      const annotations = { ...(title !== undefined && { [TITLE]: title }), ...more };
      return descriptor(content, type ?? 'application/octet-stream', { annotations });
    }),
    ...extra,
  });
  return v2(files).putManifest(document, tag);
}

describe('a version', () => {
  it('is a manifest with a layer for each file, in byte order, whatever order they came in', async () => {
    const [one, two] = [await newFiles(hub), await newFiles(hub)];
    const names = ['b', 'a/z', 'a.txt', '\u{ffe5}', '\u{1f600}'];
    for (const name of names) await one.put('1', name.split('/').map(encodeURIComponent).join('/'), name);
    for (const name of names.toReversed()) await two.put('1', name.split('/').map(encodeURIComponent).join('/'), name);
    expect(await digestOf(one, '1')).toBe(await digestOf(two, '1'));
    const document = (await v2(one).getManifest('1')).json<Document>();
    expect(document.artifactType).toBe(FILE_TYPE);
    expect(document.config).toMatchObject({ mediaType: MEDIA.empty, digest: EMPTY_JSON.digest });
    expect(document.layers.map(({ annotations }) => annotations[TITLE])).toEqual([
      'a.txt',
      'a/z',
      'b',
      '\u{ffe5}',
      '\u{1f600}',
    ]);
    await v2(one).mustPull('1');
  });

  it('has a history that is true: a move for each manifest that anyone could see', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    const first = await digestOf(files, '1');
    for (const name of ['b', 'c', 'd']) await files.put('1', name, name);
    const second = await digestOf(files, '1');
    await files.put('1', 'e', 'E');
    await files.ask('DELETE', files.at('1', 'e'));
    expect(await digestOf(files, '1')).toBe(second);
    await files.ask('DELETE', files.at('1'));
    expect(await history(files, '1')).toEqual([
      [null, first],
      [first, second],
      [second, null],
    ]);
  });

  it('is one of the tags, and in the catalogue, from its first file on', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    await files.put('1', 'b', 'B');
    expect(await v2(files).mustTags()).toEqual(['1']);
  });

  it('refuses the delete of a blob that is one of its files', async () => {
    const files = await newFiles(hub);
    const content = blob();
    await files.put('1', 'a', 'A');
    await files.put('1', 'b', content.bytes);
    expect((await v2(files).deleteBlob(content.digest)).status).toBe(405);
    expectStatus(await files.get('1', 'b'), 200);
  });

  it('keeps its files when a manifest that it was is deleted by digest', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    const old = await digestOf(files, '1');
    await files.put('1', 'b', 'B');
    expectStatus(await v2(files).deleteManifest(old), 202);
    expect((await files.get('1', 'b')).body.toString()).toBe('B');
    expect((await files.get('1', 'a')).body.toString()).toBe('A');
    expect(await digestOf(files, '1')).not.toBe(old);
    expectStatus(await v2(files).deleteManifest(await digestOf(files, '1')), 202);
    expectStatus(await files.get('1', 'a'), 404);
  });

  it('goes when its tag is deleted under /v2, and may begin anew', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    await files.put('1', 'b', 'B');
    expectStatus(await v2(files).deleteManifest('1'), 202);
    expectStatus(await files.get('1', 'a'), 404);
    expectStatus(await files.put('1', 'c', 'C'), 201);
    expect((await files.get('1', 'SHA256SUMS')).body.toString()).toBe(`${sha256('C')}  c\n`);
    const moves = await history(files, '1');
    expect(moves.map(([before]) => before)).toEqual([null, moves[0]?.[1], moves[1]?.[1], null]);
  });

  it('is what was pushed when a manifest of files is pushed over it', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'mine', 'A');
    await files.put('1', 'too', 'B');
    const put = await pushTitled(files, '1', [{ title: 'theirs', content: blob('T') }], { artifactType: FILE_TYPE });
    expectStatus(put, 201);
    expectStatus(await files.get('1', 'mine'), 404);
    expect((await files.get('1', 'theirs')).body.toString()).toBe('T');
    const moves = await history(files, '1');
    expect(moves.map(([before]) => before)).toEqual([null, moves[0]?.[1], moves[1]?.[1]]);
    // Nobody had asked for what was there with both files; it can be had all the same.
    expect((await files.get(moves[1]?.[1] ?? '', 'too')).body.toString()).toBe('B');
  });
});

describe('kinds', () => {
  it('an image does not become files, nor files an image: 409 names the kind', async () => {
    const files = await newFiles(hub);
    await v2(files).mustPushImage(image(), 'image');
    const put = expectStatus(await files.put('image', 'a', 'A'), 409);
    expect(put.body.toString()).toMatch(/is an image/);
    await files.put('files', 'a', 'A');
    const pushed = image();
    for (const one of pushed.blobs) await v2(files).mustPush(one);
    const over = expectStatus(await v2(files).putManifest(pushed.manifest, 'files'), 409);
    expect(over.body.toString()).toMatch(/is a file/);
    expectStatus(await v2(files).putManifest(index([]), 'files'), 409);
    expectStatus(await files.ask('POST', `${files.at('image')}?finalise`), 409);
  });

  it('what is not files is not deleted here: 409 names the kind, and the tag stays', async () => {
    const files = await newFiles(hub);
    await v2(files).mustPushImage(image(), 'image');
    expectStatus(await v2(files).putManifest(index([]), 'index'), 201);
    await pushTitled(files, 'other', [{ title: 'a', content: blob('A') }], { artifactType: 'application/vnd.example' });
    for (const [tag, kind] of [
      ['image', 'an image'],
      ['index', 'an index'],
      ['other', 'another kind of artifact'],
    ] as const) {
      const refused = expectStatus(await files.ask('DELETE', files.at(tag)), 409);
      expect(refused.body.toString()).toBe(`The tag ${tag} is ${kind}; it is deleted through /v2, as it was pushed\n`);
    }
    expect(await v2(files).mustTags()).toEqual(['image', 'index', 'other']);
    expectStatus(await v2(files).deleteManifest('image'), 202);
  });

  it('an index has no files of its own', async () => {
    const files = await newFiles(hub);
    expectStatus(await v2(files).putManifest(index([]), 'index'), 201);
    expectStatus(await files.get('index', 'x'), 409);
    expectStatus(await files.ask('GET', files.at('index')), 409);
  });
});

describe('what oras pushed', () => {
  it('is read under its titles', async () => {
    const files = await newFiles(hub);
    const [cli, folder, plain] = [blob(5_000), blob(100), blob(200)];
    expectStatus(
      await pushTitled(files, '1', [
        { title: 'bin/cli', content: cli },
        { title: 'folder', content: folder, more: { 'io.deis.oras.content.unpack': 'true' } },
        { content: plain, type: MEDIA.layer },
      ]),
      201,
    );
    expect((await files.get('1', 'bin/cli')).body.equals(cli.bytes)).toBe(true);
    expect((await files.get('1', 'folder.tar.gz')).body.equals(folder.bytes)).toBe(true);
    expect((await files.get('1', `sha256-${plain.digest.slice(7)}.tar.gz`)).body.equals(plain.bytes)).toBe(true);
    const listed = (await files.ask('GET', `${files.at('1')}?recursive`)).json<{ files: { path: string }[] }>();
    expect(listed.files.map(({ path }) => path)).toEqual([
      'bin/cli',
      'folder.tar.gz',
      `sha256-${plain.digest.slice(7)}.tar.gz`,
    ]);
  });

  it('under titles that are no paths, or are taken, is called after its digest', async () => {
    const files = await newFiles(hub);
    const titles = ['../../etc/passwd', '/abs', 'a/../b', 'a//b', 'x\r\ny', '', 'a\\b', 'ok', 'ok', 'ok/inside', '.'];
    const layers = titles.map((title) => ({ title, content: blob(50) }));
    expectStatus(await pushTitled(files, '1', layers), 201);
    const listed = (await files.ask('GET', `${files.at('1')}?recursive`)).json<{
      files: { path: string; href: string; digest: string }[];
    }>();
    expect(listed.files).toHaveLength(titles.length);
    for (const { path, href, digest } of listed.files) {
      if (path !== 'ok') expect(path).toBe(`${digest.replace(':', '-')}.bin`);
      expectStatus(await files.ask('GET', href), 200);
    }
  });

  it('as files can be changed file by file; as anything else it cannot', async () => {
    const files = await newFiles(hub);
    const extra = { artifactType: FILE_TYPE, annotations: { commit: 'abc' } };
    await pushTitled(files, '1', [{ title: 'a', content: blob('A') }], extra);
    expectStatus(await files.put('1', 'b', 'B'), 201);
    const document = (await v2(files).getManifest('1')).json<Document>();
    expect(document.layers.map(({ annotations }) => annotations[TITLE])).toEqual(['a', 'b']);
    expect(document.annotations).toEqual({ commit: 'abc' });
    await pushTitled(files, '2', [{ title: 'a', content: blob('A') }]);
    expectStatus(await files.put('2', 'b', 'B'), 409);
  });

  it('with a subject or a config of its own is not changed: a file would take them away', async () => {
    const files = await newFiles(hub);
    const config = blob('{"of":"its own"}');
    await v2(files).mustPush(config);
    const own = { artifactType: FILE_TYPE, config: descriptor(config, 'application/vnd.example.config') };
    await pushTitled(files, '1', [{ title: 'a', content: blob('A') }], own);
    expectStatus(await files.put('1', 'b', 'B'), 409);
    const subject = { artifactType: FILE_TYPE, subject: descriptor(image().manifest, MEDIA.manifest) };
    await pushTitled(files, '2', [{ title: 'a', content: blob('A') }], subject);
    expectStatus(await files.put('2', 'b', 'B'), 409);
  });
});

describe('a final version', () => {
  it('changes through no door, and can be removed', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    await files.put('1', 'b', 'B');
    const final = expectStatus(await files.ask('POST', `${files.at('1')}?finalise`), 200);
    const digest = await digestOf(files, '1');
    expect(final.body.toString()).toContain(digest);
    expectStatus(await files.put('1', 'c', 'C'), 409);
    expectStatus(await files.put('1', 'a', 'other'), 409);
    expectStatus(await files.ask('DELETE', files.at('1', 'a')), 409);
    expectStatus(await patch(files, '1', { commit: 'abc' }), 409);
    expectStatus(await pushTitled(files, '1', [{ title: 'x', content: blob() }], { artifactType: FILE_TYPE }), 409);
    expect(await digestOf(files, '1')).toBe(digest);
    // Saying again what is there is what a job does that is repeated.
    expectStatus(await files.put('1', 'a', 'A'), 200);
    expectStatus(await files.ask('POST', `${files.at('1')}?finalise`), 200);
    expect((await files.ask('GET', files.at('1'))).json()).toMatchObject({ final: true });
    expectStatus(await files.ask('DELETE', files.at('1')), 204);
  });

  it('may have come from oras', async () => {
    const files = await newFiles(hub);
    await pushTitled(files, '1', [{ title: 'a', content: blob('A') }], { artifactType: FILE_TYPE });
    const digest = await digestOf(files, '1');
    expectStatus(await files.ask('POST', `${files.at('1')}?finalise`), 200);
    expect(await digestOf(files, '1')).toBe(digest);
    expectStatus(await files.put('1', 'b', 'B'), 409);
    expectStatus(await files.ask('POST', `${files.at('none')}?finalise`), 404);
    expectStatus(await files.ask('POST', `${files.at('1', 'a')}?finalise`), 405);
  });
});

describe('a version that is referred to', () => {
  it('does not change while the signature is there', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    const signed = await v2(files).getManifest('1');
    const signature = artifact({ artifactType: 'application/vnd.example.signature', subject: blob(signed.body) });
    await v2(files).mustPushImage(signature);
    expectStatus(await files.put('1', 'b', 'B'), 409);
    expectStatus(await files.ask('DELETE', files.at('1', 'a')), 409);
    expectStatus(await files.put('1', 'a', 'A'), 200);
    expectStatus(await v2(files).deleteManifest(signature.manifest.digest), 202);
    expectStatus(await files.put('1', 'b', 'B'), 201);
  });

  it('also when the signature is a tag, as older cosign writes it', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    const digest = await digestOf(files, '1');
    await v2(files).mustPushImage(image(), `${digest.replace(':', '-')}.sig`);
    expectStatus(await files.put('1', 'b', 'B'), 409);
  });
});

describe('properties', () => {
  it('are annotations, and find the version', async () => {
    const files = await newFiles(hub);
    const project = files.repository.split('/')[0] as string;
    await files.put('1', 'a', 'A');
    await files.put('2', 'a', 'A');
    const set = { commit: '3f2a', 'org.opencontainers.image.revision': '3f2a', constructor: 'x' };
    expect(expectStatus(await patch(files, '1', set), 200).json()).toMatchObject({ properties: set });
    expectStatus(await patch(files, '1', { constructor: null }), 200);
    const { annotations } = (await v2(files).getManifest('1')).json<Document>();
    expect(annotations).toEqual({ commit: '3f2a', 'org.opencontainers.image.revision': '3f2a' });
    const find = (query: string) => hub.api('GET', `/projects/${project}/versions${query}`);
    const found = expectStatus(await find('?property=commit=3f2a'), 200).json<{ items: { version: string }[] }>();
    expect(found.items).toEqual([
      {
        repository: files.repository,
        version: '1',
        digest: await digestOf(files, '1'),
        final: false,
        properties: annotations,
      },
    ]);
    expect((await find('?property=commit=3f2a&property=x=y')).json()).toEqual({ items: [] });
    expect((await find('?limit=1')).json<{ items: unknown[]; next_cursor?: string }>().next_cursor).toBeDefined();
    expectStatus(await find('?property=nothing'), 400);
  });

  it('are found only where the caller may pull', async () => {
    const jane = await hub.person();
    const files = await newFiles(hub);
    const project = files.repository.split('/')[0] as string;
    await files.put('1', 'a', 'A');
    const within = files.repository.split('/')[1];
    const other = `${project}/other`;
    const grant = { subject: jane.name, role: 'reader', path_glob: 'other' };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
    const find = async () =>
      (await jane.client.request('GET', `/api/v1/projects/${project}/versions`, { headers: basicOf(jane) })).json();
    expect(await find()).toEqual({ items: [] });
    await files.ask('PUT', `/files/${other}:1/a`, { body: 'A' });
    expect(await find()).toMatchObject({ items: [{ repository: other }] });
    expect(within).toBeDefined();
  });

  it.each([
    { 'bad name': 'x' },
    { '-x': 'x' },
    { '': 'x' },
    { x: 'a\nb' },
    { x: 'y'.repeat(1_025) },
    Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`p${i}`, 'x'])),
  ])('that cannot be kept are refused: %j', async (properties) => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    expectStatus(await patch(files, '1', properties), 400);
  });

  it.each(['{', '[]', '{"properties":{"x":1}}', '{"properties":{},"more":1}', '{"properties":{"__proto__":"x"}}'])(
    'are JSON of one shape: %s',
    async (body) => {
      const files = await newFiles(hub);
      await files.put('1', 'a', 'A');
      const headers = { 'Content-Type': 'application/json' };
      const answer = await files.ask('PATCH', files.at('1'), { body, headers });
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 200) expect(answer.json()).toMatchObject({ properties: {} });
      expect((await files.ask('PATCH', files.at('1'), { body: '{}' })).status).toBe(415);
    },
  );
});

function patch(files: FilesClient, version: string, properties: Record<string, string | null>) {
  return files.ask('PATCH', files.at(version), {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ properties }),
  });
}

function basicOf({ credentials }: { credentials: { username: string; password: string } }) {
  const text = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return { Authorization: `Basic ${text}` };
}
