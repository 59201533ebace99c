import { describe, expect, it, vi } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { form, newFiles, sha256, type FilesClient, type Part } from './harness.ts';

const hub = await testHub();

const post = (files: FilesClient, parts: readonly Part[], path = '', more: Record<string, string> = {}) => {
  const { body, headers } = form(parts);
  return files.ask('POST', files.at('1', path), { body, headers: { ...headers, ...more } });
};

describe('a form', () => {
  it('puts every file under its name, in the folder of the URL', async () => {
    const files = await newFiles(hub);
    const big = blob(3_000_000);
    const parts = [
      { filename: 'a.txt', content: 'A' },
      { name: 'anything', filename: 'dir/big', content: big.bytes },
      { filename: 'naïve 文件.txt', content: '' },
      { name: 'comment', content: 'a field without a file' },
    ];
    const answer = expectStatus(await post(files, parts, 'in/here/'), 201);
    expect(answer.body.toString().split('\n')).toHaveLength(4);
    expect((await files.get('1', 'in/here/dir/big')).body.equals(big.bytes)).toBe(true);
    expectStatus(await files.get('1', `in/here/${encodeURIComponent('naïve 文件.txt')}`), 200);
    expectStatus(await post(files, [{ filename: 'a.txt', content: 'A' }], 'in/here/'), 200);
    const json = await post(files, [{ filename: 'a.txt', content: 'B' }], '', { Accept: 'application/json' });
    expect(json.json()).toEqual({
      files: [{ path: files.at('1', 'a.txt'), digest: `sha256:${sha256('B')}`, size: 1 }],
    });
  });

  it('shows all of its files or none', async () => {
    const files = await newFiles(hub);
    const bad = [
      [
        { filename: 'a', content: 'A' },
        { filename: '../b', content: 'B' },
      ],
      [
        { filename: 'a', content: 'A' },
        { filename: 'a', content: 'B' },
      ],
      [
        { filename: 'a', content: 'A' },
        { filename: 'a/b', content: 'B' },
      ],
    ];
    for (const parts of bad) {
      expect([400, 409]).toContain((await post(files, parts)).status);
      expectStatus(await files.get('1', 'a'), 404);
    }
  });

  it.each([
    '../x',
    '/etc/passwd',
    'a/../../b',
    '..',
    '.',
    'a//b',
    'a\\b',
    'a/./b',
    'x\u202ey',
    'e\u0301',
    'C:\\x',
    'x'.repeat(300),
    `${'a/'.repeat(600)}b`,
  ])('refuses a name that is no path: %j', async (filename) => {
    const files = await newFiles(hub);
    expectStatus(await post(files, [{ filename, content: 'x' }]), 400);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__proto__[x]', 'a[b][c]', ''])(
    'is not harmed by a field called %j',
    async (name) => {
      const files = await newFiles(hub);
      const parts = [
        { name, content: 'polluted' },
        { name, filename: 'ok', content: 'x' },
      ];
      expect([201, 400]).toContain((await post(files, parts)).status);
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it('may call a file __proto__', async () => {
    const files = await newFiles(hub);
    expectStatus(await post(files, [{ filename: '__proto__', content: 'x' }]), 201);
    expect((await files.get('1', '__proto__')).body.toString()).toBe('x');
    expect((await files.get('1', 'constructor')).status).toBe(404);
  });

  it('has a file, and is a form', async () => {
    const files = await newFiles(hub);
    expectStatus(await post(files, []), 400);
    expectStatus(await post(files, [{ content: 'no filename' }]), 400);
    expectStatus(await post(files, [{ filename: '', content: 'empty filename' }]), 400);
    const other = { body: 'x', headers: { 'Content-Type': 'application/octet-stream' } };
    expectStatus(await files.ask('POST', files.at('1'), other), 415);
    expectStatus(await files.ask('POST', files.at('1', 'not-a-folder'), other), 405);
    const without = { body: 'x', headers: { 'Content-Type': 'multipart/form-data' } };
    expectStatus(await files.ask('POST', files.at('1'), without), 400);
  });

  it('is bounded: fields, their sizes, parts and files', async () => {
    const files = await newFiles(hub);
    const many = (count: number, part: (i: number) => Part) => Array.from({ length: count }, (_, i) => part(i));
    expectStatus(
      await post(
        files,
        many(50, (i) => ({ name: `f${i}`, content: 'x' })),
      ),
      400,
    );
    expectStatus(await post(files, [{ name: 'x', content: 'y'.repeat(10_000) }]), 400);
    expectStatus(await post(files, [{ name: 'n'.repeat(1_000), filename: 'x', content: 'y' }]), 400);
    expectStatus(
      await post(
        files,
        many(1_010, () => ({ filename: '', content: '' })),
      ),
      400,
    );
  });

  it('that ends too early leaves nothing to see', async () => {
    const files = await newFiles(hub);
    const { body, headers } = form([
      { filename: 'a', content: 'A' },
      { filename: 'b', content: 'B'.repeat(1_000) },
    ]);
    for (const end of [body.length - 3, body.length - 10, body.length - 500, 120, 60, 3]) {
      const answer = await files.ask('POST', files.at('1'), { body: body.subarray(0, end), headers });
      expect(answer.status, `cut at ${end}`).toBe(400);
      expectStatus(await files.get('1', 'a'), 404);
    }
    await hub.assertNothingLeft();
  });

  it('whose sender goes away leaves nothing, not even an upload', async () => {
    const files = await newFiles(hub);
    const abort = new AbortController();
    const { body, headers } = form([{ filename: 'a', content: Buffer.alloc(4_000_000, 'x') }]);
    const sent = files.ask('POST', files.at('1'), {
      signal: abort.signal,
      headers: { ...headers, 'Content-Length': String(body.length) },
      body: async function* () {
        yield body.subarray(0, 2_000_000);
        await vi.waitFor(async () => expect(await uploads()).toBe(1), { timeout: 20_000, interval: 20 });
        abort.abort();
      },
    });
    await expect(sent).rejects.toThrow();
    await vi.waitFor(async () => expect(await uploads()).toBe(0), { timeout: 20_000, interval: 20 });
    expectStatus(await files.get('1', 'a'), 404);
  });

  it('of someone who may not is refused before it is read', async () => {
    const files = await newFiles(hub);
    const jane = await hub.person();
    const { body, headers } = form([{ filename: 'a', content: 'A' }]);
    const basicOf = Buffer.from(`${jane.credentials.username}:${jane.credentials.password}`).toString('base64');
    const answer = await files.ask('POST', files.at('1'), {
      body,
      headers: { ...headers, Expect: '100-continue', Authorization: `Basic ${basicOf}` },
    });
    expect([answer.status, answer.continued]).toEqual([403, false]);
  });
});

async function uploads(): Promise<number> {
  const { rows } = await hub.db.pool.query<{ n: number }>('select count(*)::int as n from uploads');
  return rows[0]?.n ?? 0;
}
