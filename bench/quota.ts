/**
 * `npm run bench:quota -- [--rounds N] [--statements N]`: what counting costs a push. The statements that commit a blob and write a
 * manifest, on an embedded Postgres of its own, one after the other on one connection: with the triggers of quotas off, on in a
 * project without a limit, and on in one with a limit. Rounds are interleaved. Commits do not wait for the disk, so that what is
 * compared is the work.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sql from 'sql-template-tag';
import { openDatabase, type Database } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { migrateAll } from '../src/jobs/migrate.ts';
import { upsertManifest } from '../src/registry/queries/manifests.ts';
import { insertProject, insertRepository } from '../src/registry/queries/repositories.ts';
import { commitBlob, insertUpload } from '../src/registry/queries/uploads.ts';
import { median } from './report/summary.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, statements: { type: 'string', default: '1000' } },
});
const [ROUNDS, STATEMENTS] = [Number(values.rounds), Number(values.statements)];
/** Seconds. */
const LEASE = 48 * 3600;
const TRIGGERS = {
  repository_blobs: ['quota_insert', 'quota_delete'],
  manifests: ['quota_insert', 'quota_delete'],
  uploads: ['quota_insert', 'quota_update', 'quota_delete'],
};

interface Place {
  readonly repositoryId: number;
  readonly projectId: number;
}

async function place(db: Database, name: string, maxBytes: number | undefined): Promise<Place> {
  const projectId = (await insertProject(db, name, 0, maxBytes)) as number;
  return { projectId, repositoryId: (await insertRepository(db, projectId, `${name}/app`)) as number };
}

/** Microseconds of one. */
async function blobs(db: Database, { repositoryId, projectId }: Place): Promise<number> {
  let spent = 0;
  for (let at = 0; at < STATEMENTS; at++) {
    const [id, writer] = [randomUUID(), randomUUID()];
    await insertUpload(db, { id, repositoryId, principalId: 0, store: 'disk', key: id, algorithm: 'sha256' });
    await db.query(sql`update uploads set writer = ${writer} where id = ${id}`);
    const sha256 = Buffer.concat([Buffer.from([1]), randomBytes(32)]);
    const commit = {
      uploadId: id,
      writer,
      repositoryId,
      projectId,
      actorId: 0,
      requestId: 'bench',
      sha256,
      sha512: null,
      lease: LEASE,
    };
    const from = performance.now();
    await commitBlob(db, {
      ...commit,
      size: 1_000,
      digest: `sha256:${sha256.toString('hex', 1)}`,
      leftovers: [],
    });
    spent += performance.now() - from;
  }
  return (spent / STATEMENTS) * 1000;
}

async function manifests(db: Database, { repositoryId }: Place): Promise<number> {
  const payload = randomBytes(1_500);
  const from = performance.now();
  for (let at = 0; at < STATEMENTS; at++) {
    await upsertManifest(db, {
      repositoryId,
      digest: Buffer.concat([Buffer.from([1]), randomBytes(32)]),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      kind: 'image',
      artifactType: null,
      size: payload.length,
      configDigest: null,
      subjectDigest: null,
      annotations: null,
      pushedBy: null,
      lease: LEASE,
      payload,
    });
  }
  return ((performance.now() - from) / STATEMENTS) * 1000;
}

const folder = await mkdtemp(path.join('/var/tmp', 'berth-quota-bench-'));
const quiet = { info: () => {}, error: () => {} };
await using postgres = await startEmbeddedPostgres({
  folder: path.join(folder, 'postgres'),
  log: quiet,
  settings: { synchronous_commit: 'off' },
});
try {
  await using db = openDatabase({
    connectionString: postgres.url,
    maxConnections: 1,
    applicationName: 'bench',
    onIdleError: () => {},
  });
  await migrateAll(db.pool);
  const free = await place(db, 'free', undefined);
  const limited = await place(db, 'limited', Number.MAX_SAFE_INTEGER);
  const switchTo = async (state: 'enable' | 'disable') => {
    for (const [table, triggers] of Object.entries(TRIGGERS)) {
      for (const trigger of triggers) await db.pool.query(`alter table ${table} ${state} trigger ${trigger}`);
    }
  };
  const sides = [
    { name: 'triggers off', state: 'disable', at: free },
    { name: 'on, without a limit', state: 'enable', at: free },
    { name: 'on, with a limit', state: 'enable', at: limited },
  ] as const;
  const figures = sides.map(() => ({ blob: [] as number[], manifest: [] as number[] }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, { state, at }] of sides.entries()) {
      await switchTo(state);
      const [blob, manifest] = [await blobs(db, at), await manifests(db, at)];
      // The first is for caches and plans.
      if (round === 0) continue;
      figures[i]!.blob.push(blob);
      figures[i]!.manifest.push(manifest);
    }
  }
  const base = figures[0]!;
  for (const [i, { name }] of sides.entries()) {
    const line = (['blob', 'manifest'] as const).map((what) => {
      const [own, before] = [median(figures[i]![what]), median(base[what])];
      return `${what} ${own.toFixed(0)} µs (${own >= before ? '+' : ''}${(own - before).toFixed(0)})`;
    });
    console.log(`${name.padEnd(22)} ${line.join('   ')}`);
  }
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
