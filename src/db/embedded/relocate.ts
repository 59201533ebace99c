/**
 * Places for Postgres when root has to run it as another user: that user may not be able to enter the clone or the data
 * folder (a home with mode 0700), so what it needs moves to /var/lib/berth.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Account } from './account.ts';
import type { Programs } from './programs.ts';

const HOME = '/var/lib/berth';

/** The programs' folder, copied when the account cannot read it where npm put it. */
export async function reachablePrograms(programs: Programs, account: Account): Promise<string> {
  if (account.kind !== 'other' || may(account, '-x', join(programs.folder, 'bin', 'postgres'))) return programs.folder;
  const copy = join(HOME, `postgres-${programs.version}`);
  if (await stat(copy).catch(() => undefined)) return copy;
  await makeHome();
  const partial = `${copy}.${randomBytes(4).toString('hex')}`;
  await cp(programs.folder, partial, { recursive: true, verbatimSymlinks: true });
  // Someone else may have been faster; theirs is as good.
  await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
  return copy;
}

/**
 * The real path of the cluster. Where the account cannot reach it, it becomes a link to a folder in /var/lib/berth, so
 * that the data folder still leads to everything when it is moved.
 */
export async function reachableCluster(cluster: string, account: Account): Promise<string> {
  const there = await lstat(cluster).catch(() => undefined);
  if (there?.isSymbolicLink()) return readlink(cluster);
  if (there !== undefined || account.kind !== 'other') return cluster;
  // Entering is enough for Postgres; what else is in the data folder stays unlisted.
  await chmod(dirname(cluster), 0o711);
  if (may(account, '-x', dirname(cluster))) return cluster;
  await makeHome();
  const room = join(HOME, `cluster-${randomBytes(8).toString('hex')}`);
  await mkdir(room, { mode: 0o711 });
  await symlink(join(room, 'postgres'), cluster);
  return join(room, 'postgres');
}

async function makeHome(): Promise<void> {
  await mkdir(HOME, { recursive: true, mode: 0o755 });
}

function may(account: Extract<Account, { kind: 'other' }>, what: '-r' | '-x', path: string): boolean {
  return spawnSync('test', [what, path], { uid: account.uid, gid: account.gid, stdio: 'ignore' }).status === 0;
}
