import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { newFiles, sha256 } from './harness.ts';

const hub = await testHub();
const files = await newFiles(hub);
const content = blob(200_000);
const etag = `"${content.digest}"`;

describe('PUT of a file', () => {
  it('makes it: 201 with its digests, its place, and one line for people', async () => {
    const put = expectStatus(await files.put('1.2.3', 'linux/app.tgz', content.bytes), 201);
    expect(put.header('ETag')).toBe(etag);
    expect(put.header('X-Checksum-Sha256')).toBe(sha256(content.bytes));
    expect(put.header('Repr-Digest')).toBe(`sha-256=:${Buffer.from(sha256(content.bytes), 'hex').toString('base64')}:`);
    expect(put.header('Location')).toBe(files.at('1.2.3', 'linux/app.tgz'));
    expect(put.body.toString()).toBe(`${content.digest} 200000 ${files.at('1.2.3', 'linux/app.tgz')}\n`);
  });

  it('of the same again changes nothing and is 200', async () => {
    const again = expectStatus(await files.put('1.2.3', 'linux/app.tgz', content.bytes), 200);
    expect(again.header('Location')).toBeUndefined();
  });

  it('replaces: 200, and what is read next is the new one', async () => {
    expectStatus(await files.put('1.2.3', 'x', 'old'), 201);
    expectStatus(await files.put('1.2.3', 'x', 'new'), 200);
    expect((await files.get('1.2.3', 'x')).body.toString()).toBe('new');
  });

  it('answers JSON to who asks for it', async () => {
    const put = await files.put('1.2.3', 'y', 'y', { Accept: 'application/json' });
    expect(put.json()).toEqual({
      path: files.at('1.2.3', 'y'),
      digest: `sha256:${sha256('y')}`,
      size: 1,
      outcome: 'created',
    });
  });

  it('takes nothing, and a body of unknown length', async () => {
    expectStatus(await files.put('1.2.3', 'empty', ''), 201);
    const empty = expectStatus(await files.get('1.2.3', 'empty'), 200);
    expect([empty.body.length, empty.header('Content-Length')]).toEqual([0, '0']);
    const { bytes } = blob(3_000_000);
    const streamed = function* () {
      for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
    };
    expectStatus(await files.put('1.2.3', 'streamed', streamed), 201);
    expect((await files.get('1.2.3', 'streamed')).body.equals(bytes)).toBe(true);
  });

  it.each(['folder/', ''])('needs a name at the end of the URL: %j', async (path) => {
    expectStatus(await files.put('1.2.3', path, 'x'), 405);
  });

  it.each(['^1.2', '>=1', content.digest])('goes to a version by its name only, not to %s', async (version) => {
    expectStatus(await files.put(version, 'x', 'x'), 405);
  });
});

describe('GET of a file', () => {
  it('gives the bytes, as an attachment that a browser will not run', async () => {
    const got = expectStatus(await files.get('1.2.3', 'linux/app.tgz'), 200);
    expect(got.body.equals(content.bytes)).toBe(true);
    expect(got.headers).toMatchObject({
      etag,
      'content-type': 'application/gzip',
      'content-length': '200000',
      'accept-ranges': 'bytes',
      'content-disposition': 'attachment; filename="app.tgz"',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-cache',
    });
  });

  it.each([
    'page.html',
    'image.svg',
    'script.js',
    'x.xml',
    'x.xhtml',
    'x.pdf',
    'x',
    '.html',
    'constructor',
    'x.__proto__',
  ])('is bytes, whatever it is called: %s', async (name) => {
    expectStatus(await files.put('types', name, '<script>alert(1)</script>'), 201);
    expect((await files.get('types', name)).header('Content-Type')).toBe('application/octet-stream');
  });

  it('HEAD is the same without the bytes', async () => {
    const [head, got] = [
      await files.ask('HEAD', files.at('1.2.3', 'linux/app.tgz')),
      await files.get('1.2.3', 'linux/app.tgz'),
    ];
    expect(head.body.length).toBe(0);
    const without = ({ 'x-request-id': _id, date: _date, ...rest }: Record<string, unknown>) => rest;
    expect(without(head.headers)).toEqual(without(got.headers));
  });

  it('gives ranges, the last bytes, and several at once', async () => {
    const part = expectStatus(await files.get('1.2.3', 'linux/app.tgz', { Range: 'bytes=5-9' }), 206);
    expect([part.body, part.header('Content-Range')]).toEqual([content.bytes.subarray(5, 10), 'bytes 5-9/200000']);
    const tail = expectStatus(await files.get('1.2.3', 'linux/app.tgz', { Range: 'bytes=-7' }), 206);
    expect(tail.body).toEqual(content.bytes.subarray(-7));
    const several = expectStatus(await files.get('1.2.3', 'linux/app.tgz', { Range: 'bytes=0-1,9-10' }), 206);
    expect(several.header('Content-Type')).toMatch(/^multipart\/byteranges/);
    const beyond = expectStatus(await files.get('1.2.3', 'linux/app.tgz', { Range: 'bytes=200000-' }), 416);
    expect(beyond.header('Content-Range')).toBe('bytes */200000');
    const stale = await files.get('1.2.3', 'linux/app.tgz', { Range: 'bytes=5-9', 'If-Range': '"other"' });
    expect(stale.status).toBe(200);
  });

  it('is 304 to who has it', async () => {
    const known = expectStatus(await files.get('1.2.3', 'linux/app.tgz', { 'If-None-Match': `"x", ${etag}` }), 304);
    expect(known.body.length).toBe(0);
    expectStatus(await files.get('1.2.3', 'linux/app.tgz', { 'If-None-Match': '"x"' }), 200);
  });

  it('is 404 with a line, or a problem for who asks for JSON', async () => {
    const line = expectStatus(await files.get('1.2.3', 'nothing'), 404);
    expect(line.body.toString()).toBe('This version has no such file\n');
    expect(line.header('Content-Type')).toBe('text/plain; charset=utf-8');
    const problem = expectStatus(await files.get('1.2.3', 'nothing', { Accept: 'application/json' }), 404);
    expect(problem.header('Content-Type')).toBe('application/problem+json');
    expect(problem.json()).toMatchObject({
      type: 'urn:berth:problem:not-found',
      status: 404,
      request_id: problem.header('X-Request-Id'),
    });
    expectStatus(await files.get('9.9.9', 'linux/app.tgz'), 404);
  });
});

describe('SHA256SUMS', () => {
  it('is made for every version', async () => {
    await files.put('sums', 'b', 'B');
    await files.put('sums', 'a/c', 'C');
    const sums = expectStatus(await files.get('sums', 'SHA256SUMS'), 200);
    expect(sums.body.toString()).toBe(`${sha256('C')}  a/c\n${sha256('B')}  b\n`);
    expect(sums.header('Content-Type')).toBe('text/plain; charset=utf-8');
  });

  it('is what somebody put there, if somebody did', async () => {
    await files.put('own-sums', 'a', 'A');
    await files.put('own-sums', 'SHA256SUMS', 'mine');
    expect((await files.get('own-sums', 'SHA256SUMS')).body.toString()).toBe('mine');
  });
});

describe('DELETE', () => {
  it('takes a file out of its version, and the version goes with the last', async () => {
    await files.put('gone', 'a', 'A');
    await files.put('gone', 'b', 'B');
    expectStatus(await files.ask('DELETE', files.at('gone', 'a')), 204);
    expectStatus(await files.get('gone', 'a'), 404);
    expect((await files.get('gone', 'SHA256SUMS')).body.toString()).toBe(`${sha256('B')}  b\n`);
    expectStatus(await files.ask('DELETE', files.at('gone', 'a')), 404);
    expectStatus(await files.ask('DELETE', files.at('gone', 'b')), 204);
    expect(await hub.admin.repo(files.repository).mustTags()).not.toContain('gone');
  });

  it('takes a version away; its manifest stays by digest, with all that was put', async () => {
    await files.put('whole', 'a', 'A');
    await files.put('whole', 'b', 'B');
    expectStatus(await files.ask('DELETE', files.at('whole')), 204);
    expectStatus(await files.get('whole', 'a'), 404);
    const { rows } = await hub.db.pool.query(
      `select encode(old_digest, 'hex') as digest from tag_history where name = 'whole' and new_digest is null`,
    );
    const digest = `sha256:${(rows[0] as { digest: string }).digest.slice(2)}`;
    expect((await files.get(digest, 'b')).body.toString()).toBe('B');
    expectStatus(await files.ask('DELETE', files.at('whole')), 404);
  });

  it('is not for folders', async () => {
    await files.put('folders', 'a/b', 'B');
    expectStatus(await files.ask('DELETE', files.at('folders', 'a/')), 405);
    expectStatus(await files.ask('DELETE', files.at('folders', 'a')), 404);
  });
});

describe('what is not offered', () => {
  it.each(['/files', '/files/', `/files/${files.repository}:1/x`, '/files/%zz', '/files/UPPER:1/x'])(
    'is a line of text: %s',
    async (path) => {
      for (const method of ['OPTIONS', 'PROPFIND', 'GET', 'MKCOL']) {
        const answer = await files.ask(method, path);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(answer.header('Content-Type')).toBe('text/plain; charset=utf-8');
      }
    },
  );
});
