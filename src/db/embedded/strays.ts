/** What a killed Postgres leaves behind: children that have not noticed yet, and files that name dead processes. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { servesCluster } from './pidfile.ts';

/**
 * Ends what is left of a dead postmaster and removes its pid files. Postgres itself would refuse to start when the dead
 * one's number now belongs to any other process, which in containers is the rule. The caller holds the data folder's
 * lock and knows that no postmaster is alive.
 */
export async function clearStrays(cluster: string, socketFolder: string): Promise<void> {
  // Backends end by themselves when their postmaster is gone; one in the middle of a long computation does so late.
  for (let waited = 0; waited < 500 && (await processesOf(cluster)).length > 0; waited += 20) await sleep(20);
  for (const pid of await processesOf(cluster)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
  while ((await processesOf(cluster)).length > 0) await sleep(10);
  await rm(join(cluster, 'postmaster.pid'), { force: true });
  await rm(join(socketFolder, '.s.PGSQL.5432'), { force: true });
  await rm(join(socketFolder, '.s.PGSQL.5432.lock'), { force: true });
}

async function processesOf(cluster: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(pids.map((pid) => servesCluster(pid, cluster)));
  return pids.filter((_, index) => ours[index]);
}
