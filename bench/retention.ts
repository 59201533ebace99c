/**
 * `npm run bench -- retention`: the preview of a policy over many tags, beside another request that wants to be answered: how long it
 * takes, how much memory, and for how long the event loop stood still. Rows are made by SQL; nothing has bytes.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import sql from 'sql-template-tag';
import type { TestProject } from 'vitest/node';
import { openDatabase, type Database } from '../src/db/database.ts';
import { preview } from '../src/registry/retention/preview.ts';
import type { Rule } from '../src/registry/retention/rule.ts';
import { admin, inDatabase } from '../test/harness/postgres.ts';
import startPostgres from '../test/harness/postgres.ts';

const HELP = `npm run bench -- retention [options]

  --tags N          tags, each of a manifest of its own with three blobs (100000)
  --repositories N  repositories that they are spread over (1)
  --rounds N        previews (5)
  --limit MS        exits with 1 when the slowest preview takes longer (5000)
`;

const POLICIES: Readonly<Record<string, readonly Rule[]>> = {
  'the 1000 latest': [{ keep_latest: 1_000 }],
  'versions, pulls, untagged': [
    { tags: ['*'], except: ['pr-*'], keep_latest: 3, by: 'version', per: 'minor' },
    { tags: ['pr-*'], keep_pushed_days: 14, keep_pulled_days: 7 },
    { untagged_days: 30 },
  ],
};

/** Every second tag a version, the others of pull requests; a tenth of the images signed, a tenth in an index of two. */
async function fill(db: Database, tags: number, repositories: number): Promise<number> {
  const project = await db.first<{ id: number }>(sql`insert into projects (name) values ('bench') returning id`);
  await db.query(sql`
    insert into repositories (project_id, path)
    select ${project!.id}, 'bench/app' || n from generate_series(1, ${repositories}::int) n`);
  const run = (text: string): Promise<unknown> => db.pool.query({ text, query_timeout: 600_000 } as never);
  await run(`set statement_timeout = 0`);
  const digest = (seed: string): string => `'\\x01'::bytea || sha256(convert_to(${seed}, 'utf8'))`;
  const n = `generate_series(1, ${tags}) n join r on r.k = n % ${repositories} + 1`;
  const r = `with r as (select id, row_number() over (order by id) as k from repositories)`;
  for (const layer of [0, 1, 2]) {
    // Layer 0 is shared by fifty images.
    const key = layer === 0 ? `'b0-' || n / 50` : `'b${layer}-' || n`;
    await run(`insert into blobs (digest, size, store, key)
      select distinct on (k) ${digest('k')}, 1000 + ${layer}, 'disk', k from (select ${key} as k from generate_series(1, ${tags}) n) s
      on conflict do nothing`);
    await run(`${r} insert into repository_blobs (repository_id, blob_id)
      select distinct r.id, b.id from ${n} join blobs b on b.key = ${key}`);
  }
  await run(`${r} insert into manifests (repository_id, digest, media_type, kind, size, leased_until, created_at)
    select r.id, ${digest(`'m' || n`)}, 'application/vnd.oci.image.manifest.v1+json', 'image', 500, now(),
           now() - interval '400 days' + n * interval '5 minutes' from ${n}`);
  for (const layer of [0, 1, 2]) {
    const key = layer === 0 ? `'b0-' || n / 50` : `'b${layer}-' || n`;
    await run(`${r} insert into manifest_blobs (repository_id, blob_id, manifest_id)
      select r.id, b.id, m.id from ${n} join blobs b on b.key = ${key}
      join manifests m on m.repository_id = r.id and m.digest = ${digest(`'m' || n`)}`);
  }
  await run(`${r} insert into tags (repository_id, name, manifest_id, updated_at)
    select r.id, case when n % 2 = 0 then n / 500 || '.' || n / 20 % 25 || '.' || n % 20 else 'pr-' || n end, m.id, m.created_at
    from ${n} join manifests m on m.repository_id = r.id and m.digest = ${digest(`'m' || n`)} on conflict do nothing`);
  await run(`${r} insert into manifests (repository_id, digest, media_type, kind, size, subject_digest, leased_until)
    select r.id, ${digest(`'s' || n`)}, 'application/vnd.oci.image.manifest.v1+json', 'other', 300, ${digest(`'m' || n`)}, now()
    from ${n} where n % 10 = 0`);
  await run(`${r} insert into manifests (repository_id, digest, media_type, kind, size, leased_until)
    select r.id, ${digest(`'i' || n`)}, 'application/vnd.oci.image.index.v1+json', 'index', 300, now() from ${n} where n % 10 = 5`);
  await run(`${r} insert into manifest_children (repository_id, child_digest, manifest_id)
    select r.id, ${digest(`'m' || (n - d)`)}, i.id from ${n} cross join generate_series(0, 1) d
    join manifests i on i.repository_id = r.id and i.digest = ${digest(`'i' || n`)} where n % 10 = 5`);
  await run(
    `insert into manifest_pulls select id, now() - random() * interval '200 days', 1 from manifests where id % 3 = 0`,
  );
  await run('analyze');
  return project!.id;
}

async function measure(db: Database, projectId: number, rules: readonly Rule[]): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const request = { projectId, rules, shown: 'deleted', limit: 100, from: undefined } as const;
  delays.enable();
  const began = performance.now();
  const { totals } = await preview(db, request);
  const took = performance.now() - began;
  delays.disable();
  const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
  console.log(
    `  ${took.toFixed(0).padStart(6)} ms   loop stood still ${(delays.max / 1e6).toFixed(0)} ms at most, p99 ${(delays.percentile(99) / 1e6).toFixed(1)} ms   rss ${rss} MiB   ${JSON.stringify(totals)}`,
  );
  return took;
}

export async function benchRetention(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      tags: { type: 'string', default: '100000' },
      repositories: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      limit: { type: 'string', default: '5000' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const provided: Record<string, string> = {};
  const project = { provide: (key: string, value: string) => (provided[key] = value) } as unknown as TestProject;
  const stop = await startPostgres(project);
  try {
    const server = provided['serverUrl']!;
    await admin(server, `create database bench_retention template ${provided['templateDatabase']!}`);
    let slowest = 0;
    const db = openDatabase({
      connectionString: inDatabase(server, 'bench_retention'),
      maxConnections: 1,
      applicationName: 'berth bench',
      onIdleError: () => {},
    });
    try {
      const projectId = await fill(db, Number(values.tags), Number(values.repositories));
      for (const [name, rules] of Object.entries(POLICIES)) {
        console.log(`${values.tags} tags in ${values.repositories} repositories, ${name}`);
        for (let round = 0; round < Number(values.rounds); round++) {
          slowest = Math.max(slowest, await measure(db, projectId, rules));
        }
      }
    } finally {
      await db[Symbol.asyncDispose]();
      await admin(server, 'drop database bench_retention with (force)');
    }
    return slowest > Number(values.limit) ? 1 : 0;
  } finally {
    await stop();
  }
}
