/**
 * The data folder belongs to one hub at a time.
 *
 * The lock is SQLite's exclusive lock on an empty file, which is fcntl's. The kernel gives it to exactly one of two hubs
 * that start at once, and takes it back the moment its process is gone, however it died: there is no stale lock to judge
 * by age or process number. Unlike an abstract socket it also holds between containers that share the folder, and unlike
 * a lock inside Postgres it is there before Postgres is started or taken over. Node has no call of its own for this.
 */
import { access, constants, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Long enough for someone who only looks (`isDataFolderLocked`) to be done. */
const PATIENCE_MS = 250;

/** The folder is someone else's: another hub's, or another user's. The message is for the operator. */
export class DataFolderRefused extends Error {
  override readonly name = 'DataFolderRefused';
}

/** Creates the folder if need be and locks it until the returned object is disposed of. @throws {DataFolderRefused} */
export async function lockDataFolder(path: string): Promise<Disposable> {
  await create(path);
  const folder = await realpath(path);
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: PATIENCE_MS });
  try {
    // The transaction is never ended. Not with locking_mode = exclusive: who waits would keep a shared lock meanwhile, and of two
    // that start at once both would wait for the other's, in vain.
    lock.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    lock.close();
    if (!/locked/.test((error as Error).message)) throw refusal(path, error);
    const holder = await holderOf(folder);
    throw new DataFolderRefused(
      `Another hub${holder === undefined ? '' : ` (process ${holder})`} is using ${path}. Stop it, or choose another folder with --data-dir or BERTH_DATA_DIR.`,
    );
  }
  await writeFile(join(folder, 'lock.pid'), `${process.pid}\n`);
  return { [Symbol.dispose]: () => lock.close() };
}

/** Whether a hub is using the folder; changes nothing in it. */
export async function isDataFolderLocked(path: string): Promise<boolean> {
  const file = join(path, 'lock');
  if (!(await stat(file).catch(() => undefined))) return false;
  const probe = new DatabaseSync(file, { timeout: 0, readOnly: true });
  try {
    probe.exec('begin; select count(*) from sqlite_schema');
    return false;
  } catch {
    return true;
  } finally {
    probe.close();
  }
}

async function holderOf(folder: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(folder, 'lock.pid'), 'utf8').catch(() => ''));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

async function create(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    // Fails here, with a sentence, rather than in the middle of a push.
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') {
    return new DataFolderRefused(`The data folder ${path} cannot be used: ${message}`, { cause });
  }
  return new DataFolderRefused(
    `The data folder ${path} cannot be written to by ${userName()}. Give it to that user, or choose another with --data-dir or BERTH_DATA_DIR.`,
    { cause },
  );
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
