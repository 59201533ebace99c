import { describe, expect, it } from 'vitest';
import { testHub } from '../harness/hub.ts';
import { blob, expectStatus } from '../harness/oci-client.ts';
import { newFiles, type FilesClient } from './harness.ts';

const hub = await testHub({ config: { limits: { blob: 1_000_000 } } });

/** As many more files as ten thousand requests would have put. */
async function fill(files: FilesClient, count: number): Promise<void> {
  await hub.db.pool.query(
    `with version as (
       select v.id, v.repository_id, e.blob_id from file_versions v join file_entries e on e.version_id = v.id
       join repositories r on r.id = v.repository_id where r.path = $1 limit 1
     ), filled as (
       insert into file_entries (version_id, repository_id, path, blob_id)
       select id, repository_id, 'folder/file-' || lpad(n::text, 5, '0'), blob_id from version, generate_series(1, $2::int) n
     ), counted as (
       update file_versions v set files = files + $2::int, weight = weight + $2::int * 230 from version where v.id = version.id
     )
     update tags t set stale = true from repositories r where r.id = t.repository_id and r.path = $1`,
    [files.repository, count],
  );
}

describe('a version', () => {
  it('has ten thousand files and not one more, and all of them are in its manifest', async () => {
    const files = await newFiles(hub);
    await files.put('1', 'first', 'x');
    await fill(files, 9_998);
    expectStatus(await files.put('1', 'last', 'x'), 201);
    const full = expectStatus(await files.put('1', 'more', 'x'), 413);
    expect(full.body.toString()).toMatch(/at most 10000 files/);
    expectStatus(await files.put('1', 'last', 'replaced'), 200);
    const manifest = expectStatus(await hub.admin.repo(files.repository).getManifest('1'), 200);
    expect(manifest.json<{ layers: unknown[] }>().layers).toHaveLength(10_000);
    expect(manifest.body.length).toBeLessThan(4 * 2 ** 20);
    const sums = expectStatus(await files.get('1', 'SHA256SUMS'), 200);
    expect(sums.body.toString().trim().split('\n')).toHaveLength(10_000);
    expectStatus(await files.get('1', 'folder/file-05000'), 200);
    const list = await files.ask('GET', `${files.at('1')}?recursive`);
    expect(list.json<{ files: unknown[] }>().files).toHaveLength(10_000);
  });

  it('has four MiB of names and no more', async () => {
    const files = await newFiles(hub);
    const name = (i: number) => [1, 2, 3].map((part) => `${part}${'n'.repeat(240)}${i}`).join('/');
    await files.put('1', name(0), 'x');
    await hub.db.pool.query(
      `update file_versions v set weight = 4 * 1024 * 1024 - 1700 from repositories r
       where r.id = v.repository_id and r.path = $1`,
      [files.repository],
    );
    expectStatus(await files.put('1', name(1), 'x'), 201);
    expect(expectStatus(await files.put('1', name(2), 'x'), 413).body.toString()).toMatch(/names/);
    expectStatus(await files.put('1', 'short', 'x'), 201);
  });

  it('weighs what its manifest does, to the byte', async () => {
    const files = await newFiles(hub);
    const names = ['a', 'ü/é', '"quoted"', `${'x'.repeat(200)}/y`, '文件'];
    for (const name of names) {
      await files.put('1', name.split('/').map(encodeURIComponent).join('/'), name.repeat(3));
    }
    await files.put('1', 'a', 'another, longer content');
    await files.ask('DELETE', files.at('1', '%22quoted%22'));
    await files.ask('PATCH', files.at('1'), {
      headers: { 'Content-Type': 'application/json' },
      body: '{"properties":{"a":"b"}}',
    });
    const { body } = await hub.admin.repo(files.repository).getManifest('1');
    const { rows } = await hub.db.pool.query<{ weight: number }>(
      'select weight from file_versions v join repositories r on r.id = v.repository_id where r.path = $1',
      [files.repository],
    );
    const layers = /"layers":\[(.*)\]/s.exec(body.toString())?.[1] ?? '';
    expect(rows[0]?.weight).toBe(Buffer.byteLength(layers) + 1);
  });
});

describe('a file', () => {
  it('beyond the limit of a blob is refused, announced or not, alone or in a form', async () => {
    const files = await newFiles(hub);
    const { bytes } = blob(1_000_001);
    expectStatus(await files.put('1', 'x', bytes), 413);
    expectStatus(await files.put('1', 'x', () => [bytes]), 413);
    const form = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'),
      bytes,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' };
    expectStatus(await files.ask('POST', files.at('1'), { body: form, headers }), 413);
    expectStatus(await files.put('1', 'x', bytes.subarray(1)), 201);
    const { rows } = await hub.db.pool.query('select count(*)::int as n from uploads');
    expect(rows).toEqual([{ n: 0 }]);
  });
});
