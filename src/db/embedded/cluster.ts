/** Makes a Postgres cluster, all or nothing. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Account, run } from './account.ts';

/** The database user, and the database. The folder of the socket is what protects both. */
export const OWNER = 'berth';

/**
 * Creates the cluster unless it is there. It is made beside its place and renamed when it is complete and durable, so a
 * crash leaves either none or a whole one.
 * @throws when the cluster is another major version's
 */
export async function ensureCluster(options: {
  cluster: string;
  programs: string;
  account: Account;
  version: string;
}): Promise<void> {
  const { cluster, programs, account, version } = options;
  const found = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  const major = version.split('.')[0];
  if (found === major) return;
  if (found !== '') {
    throw new Error(
      `${cluster} was made by Postgres ${found}, and this Berth comes with Postgres ${major}. Go back to the Berth that made it; docs/operations.md says how to move to another Postgres.`,
    );
  }
  await removeUnfinished(cluster);
  const unfinished = `${cluster}.new-${randomBytes(4).toString('hex')}`;
  await mkdir(unfinished, { mode: 0o700 });
  if (account.kind === 'other') await chown(unfinished, account.uid, account.gid);
  await initialise(unfinished, programs, account);
  await rename(unfinished, cluster);
  const folder = await open(dirname(cluster));
  await folder.sync();
  await folder.close();
}

async function initialise(folder: string, programs: string, account: Account): Promise<void> {
  const bin = join(programs, 'bin');
  const initdb = [
    ...['--pgdata', folder, '--username', OWNER, '--auth', 'trust', '--no-instructions'],
    // Postgres' own collation: the order of names never depends on the system's libraries.
    ...['--encoding', 'UTF8', '--no-locale', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
  ];
  await complete(run(account, join(bin, 'initdb'), initdb, PIPED));
  // Without a server: a cluster that has its name has its database too.
  const alone = run(account, join(bin, 'postgres'), ['--single', '-D', folder, 'postgres'], PIPED);
  alone.stdin?.end(`create database ${OWNER};\n`);
  await complete(alone);
}

const PIPED: SpawnOptions = { stdio: 'pipe', detached: true };

async function complete(child: ChildProcess): Promise<void> {
  let said = '';
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0) throw new Error(`Postgres could not be set up (${code ?? signal}): ${said.trim()}`);
}

async function removeUnfinished(cluster: string): Promise<void> {
  const prefix = `${basename(cluster)}.new-`;
  for (const name of await readdir(dirname(cluster))) {
    if (name.startsWith(prefix)) await rm(join(dirname(cluster), name), { recursive: true, force: true });
  }
}
