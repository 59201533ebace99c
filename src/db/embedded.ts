/**
 * A real Postgres that comes with npm and lives in the data folder, reachable through a private unix socket only.
 *
 * It outlives a hub that is killed, so each start first looks whether one is still there (`take-over.ts`). While the hub
 * runs, a Postgres that dies is started again; meanwhile connections fail, which becomes 503.
 */
import { mkdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseAccount } from './embedded/account.ts';
import { ensureCluster, OWNER } from './embedded/cluster.ts';
import { boundLog } from './embedded/log-file.ts';
import { readPidFile, servesCluster } from './embedded/pidfile.ts';
import { startPostmaster, stopPostmaster, type Postmaster } from './embedded/postmaster.ts';
import { findPrograms } from './embedded/programs.ts';
import { reachableCluster, reachablePrograms } from './embedded/relocate.ts';
import { configure, type Settings, writeConfiguration } from './embedded/settings.ts';
import { prepareSocketFolder } from './embedded/socket.ts';
import { clearStrays } from './embedded/strays.ts';
import { takeOver } from './embedded/take-over.ts';

export interface EmbeddedPostgresOptions {
  /** Where the cluster is or will be; the folder above it exists, and the caller has locked it against other hubs. */
  readonly folder: string;
  readonly log: EmbeddedPostgresLog;
  /** Added to, or put in place of, Berth's own. */
  readonly settings?: Settings;
  /** For tests of what is usually chosen by itself. */
  readonly account?: 'namespace' | 'other';
}

export interface EmbeddedPostgresLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Connects to the database `berth` as its owner; stays the same when Postgres is started again. */
  readonly url: string;
  /** Of the main process, now. */
  readonly pid: number;
  /** Whether it was already running, left by a hub that was killed. */
  readonly adopted: boolean;
  /** Ends Postgres. Idempotent. */
  stop(): Promise<void>;
}

/** Starts the Postgres of a data folder, creating its cluster the first time. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  await mkdir(dirname(options.folder), { recursive: true, mode: 0o700 });
  const wanted = join(await realpath(dirname(options.folder)), basename(options.folder));
  const found = await findPrograms();
  const account = chooseAccount(wanted, options.account);
  const programs = await reachablePrograms(found, account);
  const cluster = await reachableCluster(wanted, account);
  await ensureCluster({ cluster, programs, account, version: found.version });

  const socketFolder = await prepareSocketFolder(cluster, account);
  const configuration = configure({
    socketFolder,
    version: found.version,
    ...(options.settings && { settings: options.settings }),
  });
  const url = urlOf(socketFolder);
  const logFile = `${cluster}.log`;
  const start = async (): Promise<Postmaster> => {
    await clearStrays(cluster, socketFolder);
    await writeConfiguration(cluster, configuration, account);
    const onSlow = (status: string) => log.info({ status }, 'Postgres is not ready yet, probably recovering');
    return startPostmaster({ cluster, programs, account, logFile, onSlow });
  };

  const bound = boundLog(logFile);
  const left = await takeOver(cluster, url, configuration.fingerprint);
  let postmaster = left ?? (await start());
  let stopping = false;
  const supervision = supervise();

  async function supervise(): Promise<void> {
    while (!stopping) {
      const how = await postmaster.ended;
      for (let pause = 50; !stopping; pause = Math.min(pause * 2, 5_000)) {
        log.error({ how }, 'Postgres ended by itself and is started again');
        try {
          postmaster = await start();
          log.info({ pid: postmaster.pid }, 'Postgres is back');
          break;
        } catch (error) {
          log.error({ err: error }, 'Postgres did not start; trying again');
          await sleep(pause);
        }
      }
    }
  }

  const stop = async () => {
    stopping = true;
    await stopPostmaster(postmaster);
    await supervision;
    // It may have been in the middle of a new start.
    await stopPostmaster(postmaster);
    bound[Symbol.dispose]();
    await rm(socketFolder, { recursive: true, force: true });
  };
  return {
    url,
    adopted: left !== undefined,
    get pid() {
      return postmaster.pid;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The URL of a Postgres that another process runs on the folder, if there is one and it takes connections. */
export async function findEmbeddedPostgres(folder: string): Promise<string | undefined> {
  const cluster = await realpath(folder).catch(() => undefined);
  if (cluster === undefined) return undefined;
  const file = await readPidFile(cluster);
  if (file?.status !== 'ready' || !(await servesCluster(file.pid, cluster))) return undefined;
  return urlOf(file.socketFolder);
}

function urlOf(socketFolder: string): string {
  return `postgresql://${OWNER}@localhost:5432/${OWNER}?host=${encodeURIComponent(socketFolder)}&sslmode=disable`;
}
