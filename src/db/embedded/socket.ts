/** The folder of Postgres' unix socket: only its owner may enter, and its path must fit into a socket address. */
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const LONGEST = 103;

/**
 * Makes and returns the folder: beside the cluster, or in the system's folder for temporary files when that path is too
 * long. The same cluster always gets the same folder, so that connections find Postgres again after a restart.
 * @throws when the folder exists and someone else could put a socket of theirs there
 */
export async function prepareSocketFolder(cluster: string, account: Account): Promise<string> {
  const folder = place(cluster, account);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(folder);
  const me = process.getuid?.() ?? uid;
  if (!(await lstat(folder)).isDirectory() || (uid !== me && !(account.kind === 'other' && uid === account.uid))) {
    throw new Error(
      `${folder} is needed for Postgres' socket, but belongs to uid ${uid}. Remove it, then start again.`,
    );
  }
  await chmod(folder, 0o700);
  if (account.kind === 'other') await chown(folder, account.uid, account.gid);
  return folder;
}

function place(cluster: string, account: Account): string {
  const name = `berth-${createHash('sha256').update(cluster).digest('hex').slice(0, 16)}`;
  const beside = `${cluster}.socket`;
  // Postgres running as another user may not be able to enter the folders above the cluster.
  const candidates = account.kind === 'other' ? [] : [beside];
  candidates.push(join(tmpdir(), name), join('/tmp', name));
  return candidates.find((folder) => fits(folder)) ?? join('/tmp', name);
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= LONGEST;
}
