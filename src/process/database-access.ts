/** Postgres for commands that are no hub: they find it running, or run the embedded one for their own time. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded.ts';
import type { Log } from '../log.ts';
import { isDataFolderLocked, lockDataFolder } from './data-folder.ts';

/** The configuration with the place where Postgres is, as everything below the process expects it. */
export async function withDatabase<T>(config: Config, log: Log, work: (located: Config) => Promise<T>): Promise<T> {
  const at = (url: string): Config => ({ ...config, database: { kind: 'external', url } });
  if (config.database.kind === 'external') return work(config);
  const folder = join(config.dataDir, 'postgres');
  if (await isDataFolderLocked(config.dataDir)) {
    const url = await findEmbeddedPostgres(folder);
    if (url === undefined) throw new Error('The hub on this data folder is just starting. Try again in a moment.');
    return work(at(url));
  }
  const lock = await lockDataFolder(config.dataDir);
  try {
    const postgres = await startEmbeddedPostgres({ folder, log });
    try {
      return await work(at(postgres.url));
    } finally {
      await postgres.stop();
    }
  } finally {
    lock[Symbol.dispose]();
  }
}
