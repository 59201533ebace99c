/** The statements of a push and a pull that meet the collector, at a steady rate, and how long each takes. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { newKey } from '../../src/blobs/keys.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { selectBlob } from '../../src/registry/queries/blobs.ts';
import { selectScenes } from '../../src/registry/queries/scene.ts';
import { claimUpload, commitBlob, insertUpload } from '../../src/registry/queries/uploads.ts';
import { quantiles, type Quantiles } from './quantiles.ts';

const LANES = 4;
/** Each lane asks so often. */
const EVERY_MS = 20;
const LEASE_SECONDS = 48 * 3_600;
const STATEMENTS = ['scene', 'look-up', 'start of an upload', 'commit of a blob'] as const;

export type Statement = (typeof STATEMENTS)[number];
export type Foreground = Readonly<Record<Statement, Quantiles>>;

/** Runs until `until` settles, and says what it took. */
export async function foreground(url: string, blobs: number, until: Promise<unknown>): Promise<Foreground> {
  await using db = openDatabase({
    connectionString: url,
    maxConnections: LANES,
    applicationName: 'berth-bench-foreground',
    onIdleError: () => {},
  });
  const all: Record<Statement, number[]> = {
    scene: [],
    'look-up': [],
    'start of an upload': [],
    'commit of a blob': [],
  };
  let over = false;
  const end = until.then(
    () => (over = true),
    () => (over = true),
  );
  const repositories = await db.query<{ id: number; path: string; project_id: number }>(
    sql`select id, path, project_id from repositories order by id limit 2000`,
  );
  const digests = await someDigests(db, blobs);
  const lane = async (at: number): Promise<void> => {
    for (let n = at; !over; n += LANES) {
      const began = performance.now();
      const repository = repositories[n % repositories.length]!;
      const timed = async <T>(statement: Statement, work: () => Promise<T>): Promise<T> => {
        const from = performance.now();
        const result = await work();
        all[statement].push(performance.now() - from);
        return result;
      };
      await timed('scene', () => selectScenes(db, [{ path: repository.path, principalId: 1, tag: `v${n}` }]));
      await timed('look-up', () => selectBlob(db, repository.id, digests[n % digests.length]!));
      await push(db, repository, timed);
      await delay(Math.max(1, EVERY_MS - (performance.now() - began)));
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, at) => lane(at)));
  await end;
  return Object.fromEntries(STATEMENTS.map((name) => [name, quantiles(all[name])])) as unknown as Foreground;
}

async function push(
  db: Database,
  repository: { id: number; project_id: number },
  timed: <T>(statement: Statement, work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const id = randomUUID();
  const writer = randomUUID();
  await timed('start of an upload', () =>
    insertUpload(db, {
      id,
      repositoryId: repository.id,
      principalId: 0,
      store: 'disk',
      key: newKey(),
      algorithm: 'sha256',
    }),
  );
  await claimUpload(db, { id, repositoryId: repository.id, principalId: 0 }, writer, randomUUID());
  const sha256 = Buffer.concat([Buffer.from([1]), randomBytes(32)]);
  await timed('commit of a blob', () =>
    commitBlob(db, {
      uploadId: id,
      writer,
      repositoryId: repository.id,
      projectId: repository.project_id,
      actorId: 0,
      requestId: id,
      sha256,
      sha512: null,
      size: 1_000,
      digest: `sha256:${sha256.toString('hex', 1)}`,
      leftovers: [],
      lease: LEASE_SECONDS,
    }),
  );
}

async function someDigests(db: Database, blobs: number): Promise<Buffer[]> {
  const ids = Array.from({ length: 5_000 }, (_, n) => 1 + Math.floor((n / 5_000) * (blobs - 1)));
  const rows = await db.query<{ digest: Buffer }>(sql`select digest from blobs where id = any (${ids}::bigint[])`);
  return rows.map((row) => row.digest);
}
