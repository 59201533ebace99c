/** The torture itself: eight clients push, the hub is killed at random moments, and what was acknowledged has to be there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { freePort, startHub, type HubProcess } from '../harness/hub-process.ts';
import { gone, killHard } from '../harness/processes.ts';
import { closeConnections, OciClient, type Blob } from '../harness/oci-client.ts';
import { Gate } from './gate.ts';
import type { Entry } from './journal.ts';
import { afterSweep, invented, unowned, withDatabase } from './owners.ts';
import { pushWithoutEnd } from './pusher.ts';
import { Random } from './random.ts';
import { verify } from './verify.ts';

export interface KillOptions {
  readonly seed: number;
  readonly kills: number;
  readonly clients?: number;
  /** For the hub. */
  readonly env?: Readonly<Record<string, string>>;
  /** All keys in the store. */
  keys(dataDir: string): Promise<readonly string[]>;
}

export interface KillReport {
  readonly problems: readonly string[];
  readonly acknowledged: number;
  /** How often who was killed. */
  readonly victims: Readonly<Record<string, number>>;
  /** Slowest start after a kill. */
  readonly slowestStartMs: number;
}

const PASSWORD = 'torture-password';
const LONGEST_LIFE_MS = 3_000;

export async function torture(options: KillOptions): Promise<KillReport> {
  const { seed, kills, clients = 8 } = options;
  const random = new Random(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-torture-'));
  const port = await freePort();
  const start = () => startHub({ dataDir, port, keep: true, env: { BERTH_ADMIN_PASSWORD: PASSWORD, ...options.env } });
  let hub: HubProcess = await start();
  const client = new OciClient({ origin: hub.url, credentials: { username: 'admin', password: PASSWORD } });
  const entries: Entry[] = [];
  const problems: string[] = [];
  const gate = new Gate(clients);
  const end = new AbortController();
  const pool: { repo: string; content: Blob }[] = [];
  const pushers = Array.from({ length: clients }, (_, at) =>
    pushWithoutEnd({
      client: new OciClient({ origin: hub.url, credentials: { username: 'admin', password: PASSWORD } }),
      repo: `torture/c${at}`,
      random: new Random(seed + 1 + at),
      gate,
      signal: end.signal,
      pool,
      note: (entry) => entries.push(entry),
      complain: (problem) => problems.push(problem),
    }),
  );

  const victims = { node: 0, both: 0, primary: 0, worker: 0 };
  let slowestStartMs = 0;
  let verified = 0;
  try {
    for (let kill = 1; kill <= kills && problems.length === 0; kill++) {
      gate.open();
      await delay(random.below(LONGEST_LIFE_MS));
      gate.close();
      const victim = victimOf(random);
      victims[victim]++;
      if (victim === 'worker') {
        const pid = random.pick(hub.workerPids());
        killHard([pid]);
        await gone([pid]);
      } else {
        await hub.kill9(victim);
        hub = await start();
        slowestStartMs = Math.max(slowestStartMs, hub.startedInMs);
      }
      await gate.allParked();
      // Those to a process that has gone would break the first question instead.
      closeConnections();
      // What is new is pulled now, all of it at the end.
      const recent = new Set(
        entries.slice(verified).flatMap((entry) => ('digest' in entry ? [`${entry.repo} ${entry.digest}`] : [])),
      );
      problems.push(...(await verify(client, entries, (repo, digest) => recent.has(`${repo} ${digest}`))));
      problems.push(
        ...(await inDatabase(dataDir, async (query) => [
          ...(await invented(query, entries)),
          ...(await unowned(query, await options.keys(dataDir))),
        ])),
      );
      verified = entries.length;
      if (problems.length > 0) problems.unshift(`after kill ${kill} of ${kills}, of ${victim}`);
    }
    problems.push(...(await verify(client, entries)));
    end.abort();
    gate.open();
    await Promise.all(pushers);
    if (problems.length === 0)
      problems.push(...(await inDatabase(dataDir, (query) => afterSweep(query, () => options.keys(dataDir)))));
  } finally {
    end.abort();
    gate.open();
    await Promise.all(pushers);
    closeConnections();
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  const acknowledged = entries.filter((entry) => entry.state === 'acknowledged').length;
  return { problems, acknowledged, victims, slowestStartMs };
}

/** All of node most often; in 30 of 100, Postgres with it; now and then one process, whose end the others have to notice. */
function victimOf(random: Random): 'node' | 'both' | 'primary' | 'worker' {
  const dice = random.next();
  if (dice < 0.3) return 'both';
  if (dice < 0.4) return 'worker';
  return dice < 0.5 ? 'primary' : 'node';
}

async function inDatabase<T>(dataDir: string, work: Parameters<typeof withDatabase<T>>[1]): Promise<T> {
  const url = await findEmbeddedPostgres(join(dataDir, 'postgres'));
  if (url === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
  return withDatabase(url, work);
}
