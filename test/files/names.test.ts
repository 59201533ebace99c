import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { basic, exchangeRaw, expectStatus, send, type Answer } from '../harness/oci-client.ts';
import { form, newFiles, sha256 } from './harness.ts';
import { TRAVERSALS } from './traversals.ts';

const hub = await testHub();
const CANARY = 'canary: nobody may read this';

/** Where the hub's data is: a secret beside it, and everything that is not an object. */
const folder = hub.config.dataDir;
for (const name of ['passwd', 'secret', 'master.key']) await writeFile(join(folder, name), CANARY);
const around = async () =>
  (await readdir(folder, { recursive: true })).filter((name) => !name.startsWith('data/objects')).sort();

/** Only what a request line can hold as it is. */
const wire = (text: string) =>
  /^[\x21-\x7e]*$/.test(text) ? text : encodeURI(text.toWellFormed()).replaceAll('%25', '%');

/** A few at a time: sent one after the other they would take a minute. */
async function forEach<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const next = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await work(one);
  };
  await Promise.all(Array.from({ length: 12 }, next));
}

function expectHarmless(answer: Answer, what: string): void {
  expect(answer.status, what).toBeLessThan(500);
  expect(answer.body.toString(), what).not.toContain(CANARY);
  expect(
    answer.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()),
    what,
  ).not.toContain('set-cookie');
}

describe('hundreds of names', () => {
  it('are at least five', () => expect(TRAVERSALS.length).toBeGreaterThanOrEqual(500));

  it('in a URL touch nothing outside the store, as path, version, repository, query or header', async () => {
    const files = await newFiles(hub);
    const before = await around();
    await files.put('1', 'a', 'A');
    await forEach(TRAVERSALS, async (text) => {
      const name = wire(text);
      const asked: [string, string, Record<string, string>?][] = [
        ['GET', files.at('1', name)],
        ['PUT', files.at('names', name)],
        ['GET', `/files/${files.repository}:${name}/a`],
        ['PUT', `/files/${name}:1/x`],
        ['GET', `${files.at('1')}?archive=${name}&last=${name}&share=${name}`],
        ['GET', `/files/${files.repository}/?last=${name}&n=${name}`],
      ];
      for (const [method, path] of asked) {
        const answer = await files.ask(method, path, method === 'PUT' ? { body: 'x' } : {}).catch((error: unknown) => {
          // What Node's client cannot send, no client of ours does.
          expect(String(error)).toMatch(/unescaped characters|Parse Error|hang up|ECONNRESET/);
        });
        if (answer) expectHarmless(answer, `${method} ${path}`);
      }
    });
    expect(await around()).toEqual(before);
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe(CANARY);
  });

  it('that were taken are listed, linked and found under what they are', async () => {
    const files = await newFiles(hub);
    await files.put('source', 'x', 'x');
    const deploy = { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': sha256('x') };
    let taken = 0;
    await forEach(TRAVERSALS, async (text) => {
      const encoded = text.toWellFormed().split('/').map(encodeURIComponent).join('/');
      // Without bytes: what is tried here is the name.
      const put = await files.put('1', encoded, '', deploy);
      expectHarmless(put, text);
      if (put.status !== 201) return;
      taken++;
      const got = await files.get('1', encoded);
      expect(got.body.toString()).toBe('x');
      expect(got.header('Content-Disposition')).toMatch(
        /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"(?:; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/,
      );
    });
    expect(taken).toBeGreaterThan(20);
    const { files: listed } = (await files.ask('GET', `${files.at('1')}?recursive`)).json<{
      files: { path: string; href: string }[];
    }>();
    expect(listed).toHaveLength(taken);
    await forEach(listed, async ({ path, href }) => {
      expect(path.split('/')).not.toContain('..');
      expect(path).not.toMatch(/^\/|\\|[\p{Cc}\p{Cf}]/u);
      expectStatus(await files.ask('GET', href), 200);
    });
    for (const format of ['zip', 'tar']) {
      const archive = expectStatus(await files.ask('GET', `${files.at('1')}?archive=${format}`), 200);
      expect(archive.body.toString('latin1')).not.toMatch(/(?<!\.)\.\.\//);
    }
  });

  it('in a form touch nothing outside the store', async () => {
    const files = await newFiles(hub);
    const before = await around();
    const some = TRAVERSALS.filter((_, i) => i % 4 === 0);
    await forEach(some, async (text) => {
      const { body, headers } = form([{ filename: text.toWellFormed(), content: 'x' }]);
      expectHarmless(await files.ask('POST', files.at('1', 'f/'), { body, headers }), text);
    });
    const list = await files.ask('GET', `${files.at('1')}?recursive`);
    for (const { path } of list.json<{ files: { path: string }[] }>().files) expect(path).toMatch(/^f\//);
    expect(await around()).toEqual(before);
  });
});

describe('a slash that is written as %2F', () => {
  it.each(['a%2Fb', 'a%2fb', '%2Fetc%2Fpasswd', 'a/..%2f..'])(
    'is refused, for not everybody reads it as one: %s',
    async (path) => {
      const files = await newFiles(hub);
      const answer = expectStatus(await files.put('1', path, 'x'), 400);
      expect(answer.body.toString()).toMatch(/%2F/);
      expectStatus(await files.ask('GET', `/files/${files.repository.replace('/', '%2F')}:1/a`), 400);
    },
  );
});

describe('a request line that is none', () => {
  it.each([
    'GET /files/../../etc/passwd HTTP/1.1',
    'GET /files//etc/passwd HTTP/1.1',
    'GET /files/%2e%2e/%2e%2e/secret HTTP/1.1',
    'GET http://other.example/files/a:1/x HTTP/1.1',
    'GET /files/a:1/\u0001 HTTP/1.1',
    'PUT /files/a:1/x\\..\\y HTTP/1.1',
  ])('is answered and harmless: %j', async (line) => {
    const answer = await exchangeRaw(
      hub.origin,
      `${line}\r\nHost: x\r\nAuthorization: ${basic(hub.adminCredentials)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toContain(CANARY);
  });

  it('with a host of its own choosing gets no URL with it', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'a', 'A');
    for (const path of [files.at('latest', 'a'), files.at('1'), `/files/${files.repository}/?n=1`]) {
      const answer = await send(hub.origin, {
        path,
        headers: { Host: 'evil.example', Authorization: basic(hub.adminCredentials), Accept: 'text/html' },
      });
      expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toContain('evil.example');
    }
  });
});
