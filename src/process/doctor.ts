/** `berth doctor`: tries what a hub needs, and says in a line each what works and what to do about the rest. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readMark } from '../blobs/instance.ts';
import { openStore } from '../blobs/open.ts';
import { selectInstanceId } from '../blobs/queries.ts';
import { type Config, type Reading, usesDataDir } from '../config.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { serverVersion } from '../db/version.ts';
import { createLog } from '../log.ts';
import { wrongQuotas } from '../registry/quota/quota.ts';
import { withDatabase } from './database-access.ts';
import { isDataFolderLocked } from './data-folder.ts';

const OLDEST_POSTGRES = 15;
const LITTLE_SPACE = 5 * 2 ** 30;

/** Something is wrong, and this is what to do. */
class Trouble extends Error {
  readonly advice: string;
  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** Prints its findings. Changes nothing, except that a store gets a small object and loses it again. Returns the exit code. */
export async function doctor(reading: Reading): Promise<number> {
  const { config } = reading;
  let failed = false;
  const check = async (what: string, work: () => Promise<string>): Promise<void> => {
    try {
      process.stdout.write(`ok      ${what}: ${await work()}\n`);
    } catch (error) {
      failed = true;
      const { message, advice } = error as Partial<Trouble>;
      process.stdout.write(`not ok  ${what}: ${message}\n${advice === undefined ? '' : `        → ${advice}\n`}`);
    }
  };
  await check('settings', async () => summary(reading));
  if (usesDataDir(config)) await check('data folder', () => dataFolder(config));
  let id: string | undefined;
  let wrong: readonly string[] | undefined;
  await check('Postgres', async () => {
    if (config.database.kind === 'embedded' && !(await exists(join(config.dataDir, 'postgres')))) {
      return 'embedded, will be created at the first start';
    }
    return withDatabase(config, createLog('silent', 'doctor'), async (located) => {
      const db = connect(located);
      try {
        const found = await postgres(db, config);
        id = await selectInstanceId(db).catch(() => undefined);
        // Undefined while the schema is not there.
        wrong = await wrongQuotas(db).catch(() => undefined);
        return found;
      } finally {
        await db[Symbol.asyncDispose]();
      }
    });
  });
  if (wrong !== undefined) await check('quotas', async () => quotas(wrong ?? []));
  await check('store', () => bytes(config, id));
  return failed ? 1 : 0;
}

async function summary({ config, secrets, sources }: Reading): Promise<string> {
  if (!usesDataDir(config) && secrets.masterKey === undefined) {
    throw new Trouble('BERTH_MASTER_KEY is missing', 'Make one with: openssl rand -base64 32');
  }
  const given = Object.values(sources).filter((source) => source !== 'default').length;
  return `${given === 0 ? 'all defaults' : `${given} given`}, clients use ${config.publicUrls[0]}`;
}

async function dataFolder({ dataDir }: Config): Promise<string> {
  if (!(await exists(dataDir))) return `${dataDir} will be created at the first start`;
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  if (free < LITTLE_SPACE) {
    throw new Trouble(`only ${gib(free)} left in ${dataDir}`, 'Make room, or move the folder (BERTH_DATA_DIR).');
  }
  return `${dataDir}, ${gib(free)} free, ${(await isDataFolderLocked(dataDir)) ? 'in use by a running hub' : 'no hub is running'}`;
}

async function postgres(db: Database, { database }: Config): Promise<string> {
  await db.pool.query('select 1').catch((cause: Error) => {
    const advice =
      database.kind === 'external' ? 'Check DATABASE_URL, and whether that server lets this machine in.' : '';
    throw new Trouble(cause.message, advice || 'Look into postgres.log in the data folder.', { cause });
  });
  const row = await serverVersion(db);
  if (row.number < OLDEST_POSTGRES * 10_000) {
    throw new Trouble(`it is version ${row.version}`, `Use Postgres ${OLDEST_POSTGRES} or later.`);
  }
  const pending = await pendingMigrations(db.pool);
  const schema =
    pending.length === 0 ? 'the schema is up to date' : `${pending.length} migrations come with the next start`;
  return `${row.version} (${database.kind}), ${schema}`;
}

function quotas(wrong: readonly string[]): string {
  if (wrong.length === 0) return 'what projects with a limit use is counted right';
  throw new Trouble(
    `the counters of ${wrong.join(', ')} differ from what is there`,
    'Correct them: POST /api/v1/projects/<project>/quota/recount, see docs/quota.md.',
  );
}

async function bytes({ store: settings }: Config, id: string | undefined): Promise<string> {
  if (settings.kind === 'disk' && !(await exists(settings.folder))) return 'disk, will be created at the first start';
  const { store, redirects } = await openStore(settings);
  try {
    await store.check();
    const mark = await readMark(store);
    if (id !== undefined && mark !== undefined && mark !== id) {
      throw new Trouble(
        `it holds the bytes of hub ${mark}, but this Postgres belongs to hub ${id}`,
        'Configure the pair that belongs together.',
      );
    }
    const where = settings.kind === 's3' ? `bucket ${settings.bucket}` : settings.folder;
    const downloads = redirects === undefined ? 'downloads pass through the hub' : 'downloads are redirected to it';
    return `${settings.kind}, ${where}, writes, reads and deletes, ${downloads}`;
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

function connect({ database }: Config): Database {
  const connectionString = database.kind === 'external' ? database.url : '';
  return openDatabase({ connectionString, maxConnections: 1, applicationName: 'berth doctor', onIdleError: () => {} });
}

function gib(size: number): string {
  return `${(size / 2 ** 30).toFixed(1)} GiB`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
