/** One running Postgres, started by this process or taken over from a hub that was killed. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, run } from './account.ts';
import { openLog, tailOfLog } from './log-file.ts';
import { readPidFile, servesCluster } from './pidfile.ts';

export interface Postmaster {
  readonly pid: number;
  /** Settles when the process is gone, with how it ended. */
  readonly ended: Promise<string>;
  /** False once `ended` has settled: its number may be another process' by now. */
  readonly running: boolean;
}

/** After a signal that asks for an end, how long until a ruder one. */
const PATIENCE_MS = 10_000;

/**
 * Starts Postgres and waits until it takes connections, however long its recovery lasts.
 * @throws with the end of its log when it ends instead
 */
export async function startPostmaster(options: {
  cluster: string;
  programs: string;
  account: Account;
  logFile: string;
  onSlow(status: string): void;
}): Promise<Postmaster> {
  const log = await openLog(options.logFile);
  const { size } = await log.stat();
  // In a session of its own: Ctrl-C in a terminal is for the hub, which ends Postgres last.
  const child = run(options.account, join(options.programs, 'bin', 'postgres'), ['-D', options.cluster], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  await log.close();
  child.unref();
  let end: string | undefined;
  void ended.then((how) => (end = how));
  for (let waited = 0; ; waited += 10) {
    const file = await readPidFile(options.cluster);
    if (end !== undefined)
      throw new Error(`Postgres did not start (${end}): ${await tailOfLog(options.logFile, size)}`);
    if (file?.pid === child.pid && file?.status === 'ready') return postmasterOf(file.pid, ended);
    if (waited % 5_000 === 4_990) options.onSlow(file?.status ?? 'not started yet');
    await sleep(10);
  }
}

/** Watches a Postgres that is not a child of this process. */
export function adoptPostmaster(pid: number, cluster: string): Postmaster {
  const watch = async () => {
    while (await servesCluster(pid, cluster)) await sleep(200, undefined, { ref: false });
    return 'ended while adopted';
  };
  return postmasterOf(pid, watch());
}

function postmasterOf(pid: number, ended: Promise<string>): Postmaster {
  let running = true;
  void ended.then(() => (running = false));
  return {
    pid,
    ended,
    get running() {
      return running;
    },
  };
}

/** Ends Postgres: open transactions are rolled back, and everything that was acknowledged is on disk. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!postmaster.running) return;
    try {
      process.kill(postmaster.pid, signal);
    } catch {
      // Gone already.
    }
    const timer = new AbortController();
    const late = sleep(PATIENCE_MS, 'late', { signal: timer.signal }).catch(() => 'late');
    const first = await Promise.race([postmaster.ended, late]);
    timer.abort();
    if (first !== 'late') return;
  }
}
