/**
 * A hub's worth of rows, made by SQL: repositories of a thousand contents each, in images of nine contents of their own above one
 * that all images of the repository share. Every so-manieth image is in the trash since long ago, and what only it needs is
 * garbage. Triggers and foreign keys are off while the rows come, so nothing is in the collector's queues but what is said here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export interface RowsOptions {
  readonly url: string;
  readonly blobs: number;
  readonly garbage: number;
  /** When the trash was deleted: long ago, or not before it is told to be. */
  readonly deletedAt: string;
  say(line: string): void;
}

export interface Rows {
  readonly blobs: number;
  /** Contents that only images in the trash need. */
  readonly garbage: number;
  /** Images in the trash. */
  readonly trash: number;
  /** Links that are in use and due for a look, as new ones are when their lease is over. */
  readonly used: number;
}

/** Contents of an image's own, and images of a repository. */
const OWN = 9;
const IMAGES = 111;
const CHUNK = 100_000;
/** Of ten thousand links in use, due for a look. */
const DUE_IN_USE = 200;
export const SIZE = 20_000;
const PREFIX = 'scale/r';

export async function makeRows(options: RowsOptions): Promise<Rows> {
  const { url, say } = options;
  const images = Math.floor(options.blobs / OWN);
  const every = Math.max(2, Math.round(options.blobs / options.garbage));
  const repositories = Math.ceil(images / IMAGES);
  const lane = async (work: (run: Run) => Promise<void>): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const run: Run = (text, values = []) => client.query(text, values);
    try {
      await run(`insert into projects (name) values ('scale') on conflict do nothing`);
      await run(`set session_replication_role = replica`);
      await run(`set synchronous_commit = off`);
      await run(`set maintenance_work_mem = '1GB'`);
      await work(run);
    } finally {
      await client.end();
    }
  };
  const chunks = async (what: string, text: string, run: Run): Promise<void> => {
    const from = performance.now();
    for (let at = 0; at < images; at += CHUNK) await run(text, [at, Math.min(at + CHUNK, images) - 1]);
    say(`  ${what}: ${Math.round((performance.now() - from) / 1_000)} s`);
  };

  await lane(async (run) => {
    await run(`insert into repositories (id, project_id, path) overriding system value
               select r, (select id from projects where name = 'scale'), '${PREFIX}' || r from generate_series(1, ${repositories}) r`);
    await run(`select setval(pg_get_serial_sequence('repositories', 'id'), ${repositories})`);
    await run(`alter table blobs drop constraint blobs_digest_key`);
  });
  // Two at once, for two cores.
  await Promise.all([
    lane(async (run) => {
      await chunks(
        'contents',
        `insert into blobs (id, digest, size, store, key, created_at) overriding system value
         select b, '\\x01'::bytea || hash, ${SIZE}, 'disk', 'objects/' || left(hex, 2) || '/' || left(hex, 32), now() - interval '1 year'
         from generate_series($1::bigint * ${OWN} + 1, ($2::bigint + 1) * ${OWN}) b,
              lateral (select sha256(convert_to('blob ' || b, 'UTF8')) as hash) h, lateral (select encode(hash, 'hex') as hex) x`,
        run,
      );
      await chunks(
        'contents of the project',
        `insert into project_blobs (project_id, blob_id, links)
         select (select id from projects where name = 'scale'), b, 1
         from generate_series($1::bigint * ${OWN} + 1, ($2::bigint + 1) * ${OWN}) b`,
        run,
      );
      await run(`alter table blobs add constraint blobs_digest_key unique (digest)`);
      await run(`select setval(pg_get_serial_sequence('blobs', 'id'), ${images * OWN})`);
      say('  index of digests');
    }),
    lane(async (run) => {
      await chunks(
        'links',
        `insert into repository_blobs (repository_id, blob_id, leased_until, created_at)
         select i / ${IMAGES} + 1, i * ${OWN} + n, now() - interval '30 days', now() - interval '1 year'
         from generate_series($1::bigint, $2::bigint) i, generate_series(1, ${OWN}) n`,
        run,
      );
      await chunks(
        'images',
        `with i as (
           insert into manifests (id, repository_id, digest, media_type, kind, size, leased_until, created_at, deleted_at)
           overriding system value
           select i + 1, i / ${IMAGES} + 1, '\\x01'::bytea || sha256(convert_to('image ' || i, 'UTF8')),
                  'application/vnd.oci.image.manifest.v1+json', 'image', 200, now() - interval '30 days', now() - interval '1 year',
                  case when i % ${every} = 0 then ${options.deletedAt} end
           from generate_series($1::bigint, $2::bigint) i
         ), p as (
           insert into manifest_payloads (manifest_id, payload)
           select i + 1, convert_to(repeat('image ' || i, 20), 'UTF8') from generate_series($1::bigint, $2::bigint) i
         ), t as (
           insert into tags (repository_id, name, manifest_id)
           select i / ${IMAGES} + 1, 'v' || i, i + 1 from generate_series($1::bigint, $2::bigint) i where i % ${every} <> 0
         )
         insert into deletions (manifest_id, repository_id, reason)
         select i + 1, i / ${IMAGES} + 1, 'request' from generate_series($1::bigint, $2::bigint) i where i % ${every} = 0`,
        run,
      );
      await run(`select setval(pg_get_serial_sequence('manifests', 'id'), ${images})`);
      await chunks(
        'what images need',
        // The shared one is of an image that stays.
        `insert into manifest_blobs (repository_id, blob_id, manifest_id)
         select i / ${IMAGES} + 1, i * ${OWN} + n, i + 1
         from generate_series($1::bigint, $2::bigint) i, generate_series(1, ${OWN}) n
         union
         select i / ${IMAGES} + 1, (first + case when first % ${every} = 0 then 1 else 0 end) * ${OWN} + 1, i + 1
         from generate_series($1::bigint, $2::bigint) i, lateral (select i / ${IMAGES} * ${IMAGES} as first) f
         where (first + case when first % ${every} = 0 then 1 else 0 end) < ${images}
         order by 1, 2, 3`,
        run,
      );
    }),
  ]);
  let used = 0;
  await lane(async (run) => {
    const queued = await run(`insert into link_reviews (repository_id, blob_id, review_after)
               select i / ${IMAGES} + 1, i * ${OWN} + 2, now() - interval '1 day'
               from generate_series(1, ${images} - 1, ${Math.floor(10_000 / DUE_IN_USE)}) i
               where i % ${every} <> 0`);
    used = queued.rowCount ?? 0;
    await run(`update project_usage set bytes = ${images * (OWN * SIZE + 200)}, artifacts = ${images}
               where project_id = (select id from projects where name = 'scale')`);
    // The rows are as if they had come under the collector's eyes.
    await run(`update gc_state set backfilled_at = now()`);
  });
  await analyse(url, say);
  const trash = Math.ceil(images / every);
  return { blobs: images * OWN, garbage: trash * OWN, trash, used };
}

type Run = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

async function analyse(url: string, say: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const from = performance.now();
    await client.query('vacuum analyze');
    // What the load left behind is not what is measured.
    await client.query('checkpoint');
    await delay(2_000);
    say(`  vacuum, statistics, checkpoint: ${Math.round((performance.now() - from) / 1_000)} s`);
  } finally {
    await client.end();
  }
}
