/** What to do about a Postgres that outlived its hub: go on with it, or end it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { adoptPostmaster, stopPostmaster, type Postmaster } from './postmaster.ts';
import { readPidFile, servesCluster } from './pidfile.ts';
import { askFingerprint } from './settings.ts';

/**
 * Returns the Postgres that already serves the cluster when it was started with the same settings and answers in time.
 * Otherwise ends it, if there is one, and returns nothing.
 */
export async function takeOver(cluster: string, url: string, fingerprint: string): Promise<Postmaster | undefined> {
  const deadline = Date.now() + 3_000;
  let file = await readPidFile(cluster);
  if (file === undefined || !(await servesCluster(file.pid, cluster))) return undefined;
  const postmaster = adoptPostmaster(file.pid, cluster);
  while (file?.status === 'starting' && Date.now() < deadline) {
    await sleep(20);
    file = await readPidFile(cluster);
  }
  if (file?.status === 'ready' && (await fingerprintAt(url)) === fingerprint) return postmaster;
  await stopPostmaster(postmaster);
  return undefined;
}

async function fingerprintAt(url: string): Promise<string | undefined> {
  // Loaded only here: the primary process of a hub needs no driver otherwise.
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ fingerprint: string }>(askFingerprint);
    return rows[0]?.fingerprint;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}
