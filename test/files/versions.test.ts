import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { extract } from 'tar-stream';
import { describe, expect, it, vi } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, blob, expectStatus, type Answer } from '../harness/oci-client.ts';
import { newFiles, sha256 } from './harness.ts';

const hub = await testHub();

describe('latest and ranges', async () => {
  const files = await newFiles(hub);
  for (const version of ['1.2.9', '1.2.10', '1.10.0', '2.0.0-rc.1', 'nightly', 'v3.0.0-beta', '1.2']) {
    await files.put(version, 'x', version);
  }
  const read = async (version: string) => files.get(encodeURI(version), 'x');

  it.each([
    ['latest', '1.10.0'],
    ['^1.2', '1.10.0'],
    ['~1.2.0', '1.2.10'],
    ['>=1.2.0 <1.10', '1.2.10'],
    ['*', '1.10.0'],
    ['^2.0.0-0', '2.0.0-rc.1'],
    ['<=1.2.9', '1.2.9'],
  ])('%s is %s, and says so', async (asked, version) => {
    const answer = expectStatus(await read(asked), 200);
    expect(answer.body.toString()).toBe(version);
    expect(answer.header('Content-Location')).toBe(files.at(version, 'x'));
    expect(answer.header('Cache-Control')).toBe('private, no-cache');
  });

  it('what could be a tag is one', async () => {
    expect((await read('1.2')).body.toString()).toBe('1.2');
    expectStatus(await read('1.x'), 404);
    expectStatus(await read('1'), 404);
  });

  it.each(['^9', '>2 <1', '~9.9'])('%s is 404 when nothing is in it', async (range) => {
    expectStatus(await read(range), 404);
  });

  it.each(['^', '~x.y.z', '>=1 && rm', `^${'1'.repeat(300)}`, '=>1'])('%s is no range', async (range) => {
    expect([400, 404]).toContain((await read(range)).status);
  });

  it('the tag latest goes before the highest version', async () => {
    expectStatus(await files.put('latest', 'x', 'the tag'), 201);
    const answer = await read('latest');
    expect([answer.body.toString(), answer.header('Content-Location')]).toEqual(['the tag', undefined]);
    expectStatus(await files.ask('DELETE', files.at('latest')), 204);
    expect((await read('latest')).body.toString()).toBe('1.10.0');
  });

  it('neither works under /v2', async () => {
    const repo = hub.admin.repo(files.repository);
    for (const reference of ['latest', '%5E1.2']) expect((await repo.getManifest(reference)).status).toBe(404);
  });

  it('a digest never changes and may be kept for ever', async () => {
    const digest =
      (await hub.admin.repo(files.repository).getManifest('nightly')).header('Docker-Content-Digest') ?? '';
    await files.put('nightly', 'x', 'changed');
    const answer = expectStatus(await files.get(digest, 'x'), 200);
    expect(answer.body.toString()).toBe('nightly');
    expect(answer.header('Cache-Control')).toBe('private, max-age=31536000, immutable');
  });
});

describe('a folder', async () => {
  const files = await newFiles(hub);
  await files.put('1.0', 'readme.txt', 'r');
  await files.put('1.0', 'bin/linux/cli', 'cli');
  await files.put('1.0', 'bin/tool', 'tool');

  it.each([false, true])('is listed in JSON, manifest built: %s', async (built) => {
    if (built) await hub.admin.repo(files.repository).getManifest('1.0');
    const root = expectStatus(await files.ask('GET', files.at('1.0')), 200);
    expect(root.json()).toEqual({
      repository: files.repository,
      version: '1.0',
      ...(built && { digest: expect.stringMatching(/^sha256:/) }),
      final: false,
      properties: {},
      path: '',
      folders: ['bin'],
      files: [{ path: 'readme.txt', size: 1, digest: `sha256:${sha256('r')}`, href: files.at('1.0', 'readme.txt') }],
    });
    const all = expectStatus(await files.ask('GET', `${files.at('1.0', 'bin/')}?recursive`), 200);
    expect(all.json<{ files: { path: string }[] }>().files.map(({ path }) => path)).toEqual([
      'bin/linux/cli',
      'bin/tool',
    ]);
    expectStatus(await files.ask('GET', files.at('1.0', 'nothing/')), 404);
    expectStatus(await files.ask('GET', files.at('1.0', 'bin')), 404);
  });

  it('is a page for a browser, without a script, everything escaped', async () => {
    const name = `<img src=x onerror=alert(1)>&"'.txt`;
    expectStatus(await files.put('2.0', encodeURIComponent(name), 'x'), 201);
    const page = await files.ask('GET', files.at('2.0'), { headers: { Accept: 'text/html,*/*;q=0.8' } });
    expect(page.header('Content-Type')).toBe('text/html; charset=utf-8');
    expect(page.header('Content-Security-Policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'/,
    );
    const html = page.body.toString();
    expect(html).not.toContain('<img');
    expect(html).toContain('&#60;img src=x onerror=alert(1)&#62;&#38;&#34;&#39;.txt');
    const links = [...html.matchAll(/href="([^"]*)"/g)].map((match) => (match[1] as string).replaceAll('&#39;', "'"));
    for (const link of links) expect((await files.ask('GET', link)).status, link).toBe(200);
    expect(links).toHaveLength(2);
  });

  it('and its repository lists versions, page by page', async () => {
    await files.ask('POST', `${files.at('2.0')}?finalise`);
    const pages: { version: string; final: boolean }[] = [];
    for (let next: string | undefined = `/files/${files.repository}/?n=1`; next;) {
      const answer: Answer = expectStatus(await files.ask('GET', next), 200);
      pages.push(...answer.json<{ versions: { version: string; final: boolean }[] }>().versions);
      next = /^<([^>]+)>; rel="next"$/.exec(answer.header('Link') ?? '')?.[1];
    }
    expect(pages.map(({ version, final }) => [version, final])).toEqual([
      ['1.0', false],
      ['2.0', true],
    ]);
    const page = await files.ask('GET', `/files/${files.repository}`, { headers: { Accept: 'text/html' } });
    expect(page.body.toString()).toContain(`href="${files.at('1.0')}"`);
  });
});

describe('an archive', async () => {
  const files = await newFiles(hub);
  const long = `${'d'.repeat(200)}/${'e'.repeat(200)}/naïve 文件.txt`;
  const there = new Map([
    ['a.txt', 'A'],
    ['bin/cli', 'x'.repeat(200_000)],
    ['empty', ''],
    [long, 'long'],
  ]);
  for (const [path, content] of there) {
    expectStatus(await files.put('1.0', path.split('/').map(encodeURIComponent).join('/'), content), 201);
  }

  it('as tar has every file', async () => {
    const answer = expectStatus(await files.ask('GET', `${files.at('1.0')}?archive=tar`), 200);
    expect(answer.header('Content-Disposition')).toMatch(/^attachment; filename="tools[0-9a-f]+-1\.0\.tar"$/);
    expect(await untar(answer.body)).toEqual(there);
  });

  it('as zip has every file, and the same bytes each time', async () => {
    const answer = expectStatus(await files.ask('GET', `${files.at('1.0')}?archive=zip`), 200);
    expect(unzip(answer.body)).toEqual(there);
    expect((await files.ask('GET', `${files.at('1.0')}?archive=zip`)).body.equals(answer.body)).toBe(true);
  });

  it('of a folder has what is in it', async () => {
    const answer = expectStatus(await files.ask('GET', `${files.at('1.0', 'bin/')}?archive=tar`), 200);
    expect([...(await untar(answer.body)).keys()]).toEqual(['bin/cli']);
    expectStatus(await files.ask('GET', `${files.at('1.0', 'none/')}?archive=tar`), 404);
    expectStatus(await files.ask('GET', `${files.at('1.0')}?archive=rar`), 400);
  });

  it.each(['zip', 'tar'])('as %s is cut, not completed, when a file cannot be read', async (format) => {
    for (const names of [['a', 'gone', 'z'], ['gone'], ['a', 'gone']]) {
      const broken = await newFiles(hub);
      const { bytes, digest } = blob(300_000);
      for (const name of names) await broken.put('1', name, name === 'gone' ? bytes : blob(200_000).bytes);
      const { rows } = await hub.db.pool.query<{ key: string }>('select key from blobs where digest = $1', [
        Buffer.concat([Buffer.from([1]), Buffer.from(digest.slice(7), 'hex')]),
      ]);
      await hub.context.store.delete(rows[0]?.key ?? '');
      const asked = broken.ask('GET', `${broken.at('1')}?archive=${format}`).then(({ status }) => status);
      expect([503, 'cut']).toContain(await asked.catch(() => 'cut'));
    }
  });

  it.each(['zip', 'tar'])('as %s leaves nothing open when its receiver goes away', async (format) => {
    const large = await newFiles(hub);
    for (const name of ['a', 'b', 'c']) await large.put('1', name, blob(8_000_000).bytes);
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 10; i++) {
      const { hostname, port } = new URL(hub.origin);
      const socket = connect(Number(port), hostname);
      const authorization = basic(hub.adminCredentials);
      socket.write(
        `GET ${large.at('1')}?archive=${format} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`,
      );
      await once(socket, 'data');
      socket.destroy();
    }
    await vi.waitFor(() => expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 5), 15_000);
  });
});

async function untar(bytes: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const reader = extract();
  reader.end(bytes);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks).toString());
  }
  return files;
}

/** Stored entries, found through the central directory as every reader does (APPNOTE.TXT section 4.3). */
function unzip(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); i++) {
    const [size, nameLength] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    files.set(bytes.toString('utf8', at + 46, at + 46 + nameLength), bytes.toString('utf8', start, start + size));
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return files;
}
