/**
 * As whom Postgres' programs run. They refuse root, and `initdb` refuses a user without a line in /etc/passwd.
 *
 * - An ordinary user runs them directly.
 * - Root runs them in a user namespace of their own, in which root goes by another number. Files stay root's, so a clone
 *   and a data folder below a home that only root may enter work as they are.
 * - Where the kernel or a container forbids user namespaces, root runs them as another user (see `relocate.ts`).
 */
import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

export type Account =
  | { readonly kind: 'direct' }
  | { readonly kind: 'namespace'; readonly uid: number }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number };

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Chooses the account for a cluster. `cluster` need not exist; when it does, its owner decides what is possible.
 * @throws with a sentence for the operator when the cluster belongs to someone else
 */
export function chooseAccount(cluster: string, only?: 'namespace' | 'other'): Account {
  const uid = process.getuid?.();
  if (uid === undefined) return { kind: 'direct' };
  const entries = readPasswd();
  const owner = statSync(cluster, { throwIfNoEntry: false })?.uid;
  const other = otherUser(entries);
  if (owner !== undefined && owner !== uid && !(uid === 0 && owner === other?.uid)) {
    throw new Error(
      `${cluster} belongs to uid ${owner}, and Berth runs as uid ${uid}. Start Berth as that user, or change the owner of the whole data folder.`,
    );
  }
  if (uid !== 0 && entries.some((entry) => entry.uid === uid)) return { kind: 'direct' };
  // A cluster that was made as the other user stays with it.
  const stays = uid === 0 && owner !== undefined && owner !== 0;
  if (only !== 'other' && !stays) {
    const mapped = entries.find((entry) => entry.uid > 0 && entry.uid < 65_534)?.uid;
    if (mapped !== undefined && canMapTo(mapped)) return { kind: 'namespace', uid: mapped };
  }
  if (uid === 0 && other !== undefined && only !== 'namespace')
    return { kind: 'other', uid: other.uid, gid: other.gid };
  throw new Error(
    uid === 0
      ? 'Postgres does not run as root, and this system has no user namespaces and no user "berth", "postgres" or "nobody". Start Berth as an ordinary user.'
      : `uid ${uid} has no line in /etc/passwd, which Postgres asks for. Start Berth as another user, or set DATABASE_URL to a Postgres of your own.`,
  );
}

/** Starts one of Postgres' programs as `account`, with none of the caller's PG… variables. */
export function run(account: Account, program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const common: SpawnOptions = { ...options, env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
  switch (account.kind) {
    case 'direct':
      return spawn(program, args, common);
    case 'namespace':
      // unshare replaces itself by the program, so the process id is Postgres' own.
      return spawn('unshare', ['--user', `--map-user=${account.uid}`, '--', program, ...args], common);
    case 'other':
      return spawn(program, args, { ...common, uid: account.uid, gid: account.gid });
  }
}

function canMapTo(uid: number): boolean {
  return spawnSync('unshare', ['--user', `--map-user=${uid}`, '--', 'true'], { stdio: 'ignore' }).status === 0;
}

function otherUser(entries: readonly PasswdEntry[]): PasswdEntry | undefined {
  for (const name of ['berth', 'postgres', 'nobody']) {
    const entry = entries.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function readPasswd(): PasswdEntry[] {
  let text = '';
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // Some minimal images have none.
  }
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
