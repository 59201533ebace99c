/**
 * The storm: clients push, mount, move, delete and pull the same few things while garbage collection runs all the time with
 * its clocks turned down. Nothing that was promised may be missing, and afterwards the account has to balance.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { freePort, startHub, type HubProcess } from '../harness/hub-process.ts';
import { gone, killHard } from '../harness/processes.ts';
import { basic, closeConnections, expectStatus, OciClient, send } from '../harness/oci-client.ts';
import { Gate } from './gate.ts';
import { withDatabase, type Query } from './owners.ts';
import { Random } from './random.ts';
import { compareLedger, endUploads, pullAll, recountAll, unbalanced } from './storm-account.ts';
import { storm } from './storm-client.ts';
import { collected, Collector, type Collected } from './storm-collector.ts';
import { Latencies, type Comparison } from './storm-latency.ts';
import { Ledger } from './storm-ledger.ts';
import { Tally } from './storm-session.ts';
import type { StormStore } from './storm-stores.ts';
import { takeTurns } from './storm-turns.ts';
import { createUniverse } from './storm-universe.ts';

export interface StormOptions {
  readonly seed: number;
  /** Of the storm itself; the account takes about as long as the clocks together besides. */
  readonly seconds: number;
  readonly store: StormStore;
  readonly clients?: number;
  readonly clocks: StormClocks;
  /** Looks at everything so often. */
  readonly checkpointSeconds: number;
  /** Kills a worker, the hub or the hub with Postgres so often. */
  readonly killSeconds?: number | undefined;
  /**
   * Has collection run and stand still in turns of so many seconds, and compares how long requests take. Without it collection
   * runs throughout. Not together with kills: then it is them that is measured.
   */
  readonly compareSeconds?: number | undefined;
  /** Told what goes on. */
  say?(line: string): void;
}

/** In seconds. */
export interface StormClocks {
  readonly lease: number;
  readonly undo: number;
  readonly delay: number;
  readonly bytesDelay: number;
}

export interface StormReport {
  readonly problems: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** By all runs of garbage collection together. */
  readonly collected: Collected;
  /** Of requests while collection ran with those while it stood still. */
  readonly comparison: Comparison | undefined;
}

const PASSWORD = 'storm-password';
const CREDENTIALS = { username: 'admin', password: PASSWORD };

export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { seed, store, clocks, clients = 16, killSeconds, compareSeconds } = options;
  const say = options.say ?? (() => {});
  if (killSeconds !== undefined && compareSeconds !== undefined)
    throw new Error('With kills how long requests take says nothing: give killSeconds or compareSeconds');
  const latencies = compareSeconds === undefined ? undefined : new Latencies();
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-storm-'));
  const port = await freePort();
  const env = { ...environment(clocks), ...store.env };
  const start = () => startHub({ dataDir, port, keep: true, env });
  let hub: HubProcess = await start();
  const client = new OciClient({ origin: hub.url, credentials: CREDENTIALS });
  const tally = new Tally();
  const ledger = new Ledger((clocks.lease * 1_000) / 2, clocks.undo * 1_000);
  const universe = createUniverse(new Random(seed));
  const gate = new Gate(clients);
  const end = new AbortController();
  const running = Array.from({ length: clients }, (_, at) =>
    storm({
      name: `c${at}`,
      client: new OciClient({ origin: hub.url, credentials: CREDENTIALS }),
      credentials: CREDENTIALS,
      random: new Random(seed + 1 + at),
      universe,
      ledger,
      gate,
      signal: end.signal,
      leaseMs: (clocks.lease * 1_000) / 2,
      mayFail: killSeconds !== undefined,
      tally,
      latencies,
    }),
  );
  const inDatabase = async <T>(work: (query: Query) => Promise<T>): Promise<T> => {
    const url = await findEmbeddedPostgres(join(dataDir, 'postgres'));
    if (url === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
    return withDatabase(url, work);
  };
  const collector = new Collector({
    origin: hub.url,
    credentials: CREDENTIALS,
    tally,
    mayFail: killSeconds !== undefined,
  });
  let reported: Collected | undefined;
  let turns: Promise<void> | undefined;
  const random = new Random(seed ^ 0x5f5f5f5f);
  const restart = async () => {
    const victim = random.pick(['worker', 'node', 'both', 'worker'] as const);
    tally.count(`kills of ${victim}`);
    if (victim !== 'worker') {
      await hub.kill9(victim);
      hub = await start();
      return;
    }
    const pid = random.pick(hub.workerPids());
    killHard([pid]);
    await gone([pid]);
  };

  try {
    collector.start();
    gate.open();
    if (latencies && compareSeconds !== undefined) {
      const { signal } = end;
      const take = (query: Query) => takeTurns({ query, collector, latencies, seconds: compareSeconds, signal });
      // The storm is judged all the same.
      const failed = (error: Error) => tally.complain('error of the server', `turns of collection: ${error.message}`);
      turns = inDatabase(take).catch(failed);
    }
    const from = performance.now();
    const finish = from + options.seconds * 1_000;
    let nextLook = from + options.checkpointSeconds * 1_000;
    let nextKill = killSeconds === undefined ? Infinity : from + killSeconds * 1_000;
    while (performance.now() < finish) {
      await delay(Math.min(nextLook, nextKill, finish) - performance.now());
      if (performance.now() >= nextKill) {
        await restart();
        nextKill = performance.now() + (killSeconds ?? 0) * 1_000;
      }
      if (performance.now() < nextLook) continue;
      latencies?.checkpointBegins();
      gate.close();
      await gate.allParked();
      const pulled = await inDatabase(async (query) => {
        await compareLedger(ledger, query, tally);
        await recountAll(hub.url, CREDENTIALS, query, tally);
        return pullAll(client, query, tally);
      });
      tally.count('checkpoints');
      const seconds = Math.round((performance.now() - from) / 1_000);
      reported = await inDatabase(collected);
      const went = `${reported.blobs} blobs and ${reported.objects} objects collected`;
      say(`${seconds} s: ${summary(tally)}; ${pulled} manifests pulled; ${went}`);
      nextLook = performance.now() + options.checkpointSeconds * 1_000;
      gate.open();
      latencies?.checkpointEnds();
    }
    end.abort();
    await Promise.all(running);
    await turns;
    await inDatabase(async (query) => {
      await compareLedger(ledger, query, tally);
      say(`the storm is over: ${await pullAll(client, query, tally)} manifests pulled`);
      await collector.stop();
      await settle('what is left', query);
      say(`${await pullAll(client, query, tally)} manifests pulled from what stays`);
      await deleteAll(query, client);
      await settle('all that was deleted', query);
      const objects = (await store.objects(dataDir)).size;
      if (objects > 0) tally.complain('account does not balance', `${objects} objects are left of nothing`);
      reported = await collected(query);
    });
  } finally {
    end.abort();
    gate.open();
    await Promise.all(running);
    await turns;
    await collector.stop();
    closeConnections();
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  return {
    problems: tally.problems,
    counts: tally.counts,
    collected: reported as Collected,
    comparison: latencies?.judge(),
  };

  /** Nobody asks for anything: what is reported has gone, and rows and store agree. */
  async function settle(what: string, query: Query): Promise<void> {
    const there = await store.objects(dataDir);
    const uploads = await query<{ key: string }>('select key from uploads');
    // An upload that brought no byte has no object; its key is forgotten all the same.
    const empty = uploads.filter(({ key }) => !there.has(key)).length;
    await endUploads(query);
    const before = await store.objects(dataDir);
    const from = await collected(query);
    const others = Math.max(clocks.undo, clocks.delay, clocks.bytesDelay) + 1;
    await collector.untilNothingIsLeft(query, { first: clocks.lease, others });
    const after = await store.objects(dataDir);
    const to = await collected(query);
    const went = [...before].filter(([key]) => !after.has(key));
    const taken = text(
      went.length + empty,
      went.reduce((sum, [, size]) => sum + size, 0),
    );
    const report = text(to.objects - from.objects, to.object_bytes - from.object_bytes);
    say(`${what}: reported ${report}, gone ${taken}`);
    if (report !== taken) tally.complain('account does not balance', `${what}: reported ${report}, gone ${taken}`);
    await recountAll(hub.url, CREDENTIALS, query, tally);
    for (const one of await unbalanced(query, after)) tally.complain('account does not balance', `${what}: ${one}`);
  }
}

function environment({ lease, undo, delay: gcDelay, bytesDelay }: StormClocks): Record<string, string> {
  return {
    BERTH_ADMIN_PASSWORD: PASSWORD,
    BERTH_WORKERS: '2',
    BERTH_LEASE: `${lease}s`,
    BERTH_UNDO_DAYS: (undo / 86_400).toFixed(6),
    BERTH_GC_DELAY: `${gcDelay}s`,
    BERTH_GC_BYTES_DELAY: `${bytesDelay}s`,
  };
}

function text(objects: number, bytes: number): string {
  return `${objects} objects (${bytes} bytes)`;
}

function summary({ counts, problems }: Tally): string {
  return `${counts.get('requests') ?? 0} requests, ${problems.length} problems`;
}

/** Every file and every manifest, as their owners would. Indexes first, since they hold their children. */
async function deleteAll(query: Query, client: OciClient): Promise<void> {
  const versions = await query<{ path: string; name: string }>(
    `select r.path, v.name from file_versions v join repositories r on r.id = v.repository_id`,
  );
  const headers = { Authorization: basic(CREDENTIALS) };
  for (const { path, name } of versions)
    expectStatus(await send(client.origin, { method: 'DELETE', path: `/files/${path}:${name}/`, headers }), 204);
  const manifests = await query<{ path: string; digest: string }>(
    `select r.path, encode(m.digest, 'hex') as digest from manifests m join repositories r on r.id = m.repository_id
     where m.deleted_at is null order by (m.kind = 'index') desc, m.id`,
  );
  for (const { path, digest } of manifests)
    expectStatus(await client.repo(path).deleteManifest(`sha256:${digest.slice(2)}`), 202);
}
