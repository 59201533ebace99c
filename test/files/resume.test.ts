import { describe, expect, it, vi } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import { filesClient, newFiles, sha256, type FilesClient } from './harness.ts';

const MiB = 2 ** 20;
const WAIT = { timeout: 20_000, interval: 20 };

describe.each(['disk', 's3'] as const)('on %s', async (store) => {
  const hub = await testHub({ store });
  const content = blob(12 * MiB + 345);

  /** Sends the first `bytes` of the content and goes away when the hub has begun with them. */
  async function cut(files: FilesClient, path: string, bytes: number, headers: Record<string, string> = {}) {
    const abort = new AbortController();
    const sent = files.ask('PUT', files.at('1', path), {
      signal: abort.signal,
      headers: { 'Content-Length': String(content.size), ...headers },
      body: async function* () {
        for (let at = 0; at < bytes; at += MiB) yield content.bytes.subarray(at, Math.min(bytes, at + MiB));
        await vi.waitFor(async () => expect(await claims(path)).toBe(1), WAIT);
        abort.abort();
      },
    });
    await expect(sent).rejects.toThrow();
    await vi.waitFor(async () => expect(await claims(path)).toBe(0), WAIT);
  }

  async function claims(path: string): Promise<number> {
    const { rows } = await hub.db.pool.query<{ n: number }>(
      'select count(*)::int as n from uploads where writer is not null and file = $1',
      [`1/${path}`],
    );
    return rows[0]?.n ?? 0;
  }

  const offset = async (files: FilesClient, path: string) =>
    Number(expectStatus(await files.ask('HEAD', `${files.at('1', path)}?partial`), 204).header('Upload-Offset'));
  const rest = (files: FilesClient, path: string, from: number, to = content.size, more: Record<string, string> = {}) =>
    files.put('1', path, content.bytes.subarray(from, to), {
      'Content-Range': `bytes ${from}-${to - 1}/${content.size}`,
      ...more,
    });

  it('a PUT that was cut goes on where it was', async () => {
    const files = await newFiles(hub);
    await cut(files, 'big', 10 * MiB);
    const there = await offset(files, 'big');
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThanOrEqual(10 * MiB);
    expectStatus(await files.get('1', 'big'), 404);
    expectStatus(await rest(files, 'big', there, content.size, { 'X-Checksum-Sha256': sha256(content.bytes) }), 201);
    expect((await files.get('1', 'big')).body.equals(content.bytes)).toBe(true);
    expect(await offset(files, 'big')).toBe(0);
  });

  it('a piece at the wrong place is 416 and says the right one', async () => {
    const files = await newFiles(hub);
    await cut(files, 'big', 6 * MiB);
    const there = await offset(files, 'big');
    const wrong = expectStatus(await rest(files, 'big', there + 1), 416);
    expect(wrong.header('Upload-Offset')).toBe(String(there));
    const none = expectStatus(await rest(files, 'other', 17), 416);
    expect(none.header('Upload-Offset')).toBe('0');
    expectStatus(await rest(files, 'big', there), 201);
  });

  it('a file may be sent in pieces on purpose, and each may be cut', async () => {
    const files = await newFiles(hub);
    const first = expectStatus(await rest(files, 'big', 0, 3 * MiB), 202);
    expect(first.header('Upload-Offset')).toBe(String(3 * MiB));
    expectStatus(await rest(files, 'big', 3 * MiB, 5 * MiB), 202);
    expectStatus(await files.get('1', 'big'), 404);
    expectStatus(await rest(files, 'big', 5 * MiB), 201);
    expect((await files.get('1', 'big')).body.equals(content.bytes)).toBe(true);
  });

  it('what was sent is checked as a whole', async () => {
    const files = await newFiles(hub);
    expectStatus(await rest(files, 'big', 0, 3 * MiB), 202);
    const wrong = await rest(files, 'big', 3 * MiB, content.size, { 'X-Checksum-Sha256': sha256('other') });
    expectStatus(wrong, 400);
    expectStatus(await files.get('1', 'big'), 404);
    expect(await offset(files, 'big')).toBe(0);
    expectStatus(await rest(files, 'big', 0, 3 * MiB, { 'X-Checksum-Md5': 'a'.repeat(32) }), 400);
    expectStatus(await rest(files, 'big', 0, 3 * MiB, { 'Content-MD5': 'AAAAAAAAAAAAAAAAAAAAAA==' }), 400);
    expect(await offset(files, 'big')).toBe(0);
  });

  it('a PUT without a range begins anew', async () => {
    const files = await newFiles(hub);
    await cut(files, 'big', 6 * MiB);
    expectStatus(await files.put('1', 'big', 'small now'), 201);
    expect(await offset(files, 'big')).toBe(0);
    expectStatus(await rest(files, 'big', 6 * MiB), 416);
  });

  it('belongs to one person, version and path', async () => {
    const jane = await hub.person();
    const project = await hub.project({ grants: { [jane.name]: 'writer' } });
    const [mine, hers] = [filesClient(hub, `${project}/x`), filesClient(hub, `${project}/x`, jane.credentials)];
    expectStatus(await rest(mine, 'big', 0, 3 * MiB), 202);
    expect(await offset(hers, 'big')).toBe(0);
    expectStatus(await rest(hers, 'big', 3 * MiB), 416);
    expect(await offset(mine, 'big')).toBe(3 * MiB);
    expect((await mine.ask('HEAD', `${mine.at('2', 'big')}?partial`)).header('Upload-Offset')).toBe('0');
    expect(
      (
        await filesClient(hub, `${project}/x`, (await hub.person()).credentials).ask(
          'HEAD',
          `${mine.at('1', 'big')}?partial`,
        )
      ).status,
    ).toBe(403);
  });

  it('is removed when nobody comes back', async () => {
    const files = await newFiles(hub);
    expectStatus(await rest(files, 'big', 0, 3 * MiB), 202);
    await hub.db.pool.query("update uploads set touched_at = now() - interval '25 hours'");
    expect((await collect(hub.context.registry, { uploadIdleSeconds: 86_400 })).uploads).toBeGreaterThan(0);
    expect(await offset(files, 'big')).toBe(0);
    await hub.assertNothingLeft();
  });

  it.each(['bytes 5-3/10', 'bytes 0-9/5', '0-9', 'bytes a-b/c', 'bytes 0-9', 'bytes=0-9/10'])(
    'a range that is none is refused: %s',
    async (range) => {
      const files = await newFiles(hub);
      expectStatus(await files.put('1', 'x', '0123456789', { 'Content-Range': range }), 400);
    },
  );

  it('a piece of another length than it says is refused', async () => {
    const files = await newFiles(hub);
    expectStatus(await files.put('1', 'x', '0123456789', { 'Content-Range': 'bytes 0-4/20' }), 400);
    expectStatus(await files.put('1', 'x', '0123456789', { 'Content-Range': 'bytes 0-19/20' }), 400);
  });
});
