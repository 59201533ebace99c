import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { admin, inDatabase } from '../harness/postgres.ts';

const FOLDER = new URL('../../migrations/', import.meta.url);
const QUOTA = '0017-quota.sql';

it('a hub that is upgraded counts what was there before, and goes on from it', async () => {
  const server = inject('serverUrl');
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin(server, `create database ${name}`);
  const client = new pg.Client({ connectionString: inDatabase(server, name) });
  await client.connect();
  try {
    const all = (await readdir(FOLDER)).filter((file) => file.endsWith('.sql')).sort();
    const run = async (file: string) => void (await client.query(await readFile(new URL(file, FOLDER), 'utf8')));
    for (const file of all.filter((one) => one < QUOTA)) await run(file);
    // Two projects and one without anything; blob 1 twice in the first, and in both.
    await client.query(`
      insert into projects (name) values ('a'), ('b'), ('empty');
      insert into repositories (project_id, path) values (1, 'a/x'), (1, 'a/y'), (2, 'b/x');
      insert into blobs (digest, size, store, key)
      select ('\\x01' || lpad(to_hex(n), 64, '0'))::text::bytea, 10 ^ n, 'disk', n::text from generate_series(1, 4) n;
      insert into repository_blobs (repository_id, blob_id, deleted_at) values
        (1, 1, null), (2, 1, null), (3, 1, null), (1, 2, null), (2, 3, now()), (3, 4, null);
      insert into manifests (repository_id, digest, media_type, kind, size, deleted_at) values
        (1, '\\x01', 'm', 'other', 3, null), (2, '\\x01', 'm', 'other', 3, now()), (3, '\\x02', 'm', 'other', 4, null)`);
    await run(QUOTA);
    const usage = async () =>
      (
        await client.query(`
          select u.bytes + coalesce(sum(d.bytes), 0) as bytes, u.artifacts + coalesce(sum(d.artifacts), 0) as artifacts
          from project_usage u left join project_usage_deltas d using (project_id)
          group by u.project_id order by u.project_id`)
      ).rows.map((row: { bytes: string; artifacts: string }) => [Number(row.bytes), Number(row.artifacts)]);
    expect(await usage()).toEqual([
      [10 + 100 + 1_000 + 6, 2],
      [10 + 10_000 + 4, 1],
      [0, 0],
    ]);
    await client.query('delete from repository_blobs where blob_id = 1 and repository_id in (1, 3)');
    expect((await usage()).map(([bytes]) => bytes)).toEqual([1_116, 10_004, 0]);
    await client.query('delete from repository_blobs where blob_id = 1');
    expect((await usage()).map(([bytes]) => bytes)).toEqual([1_106, 10_004, 0]);
  } finally {
    await client.end();
    await admin(server, `drop database ${name} with (force)`);
  }
});
