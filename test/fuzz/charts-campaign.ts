/**
 * `node test/fuzz/charts-campaign.ts 100000 [seed]`: sends so many uploads to a hub in processes of its own and says what came
 * of them: answers by status, what was left behind, the longest stall of an event loop, the most memory.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { openDatabase } from '../../src/db/database.ts';
import { findEmbeddedPostgres } from '../../src/db/embedded.ts';
import { freePort, startHub } from '../harness/hub-process.ts';
import { keysOnDisk, leftovers, withoutOwner } from '../harness/leftovers.ts';
import { upload, type Upload } from './charts-inputs.ts';
import { faultOf, sendUpload } from './charts-send.ts';

const [runs, seed] = [Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? Date.now() % 2 ** 31)];
const PARALLEL = 4;
const BATCH = 200;

const reports = await mkdtemp(join(tmpdir(), 'berth-loop-'));
const dataDir = await mkdtemp(join(tmpdir(), 'berth-campaign-'));
const hub = await startHub({
  dataDir,
  port: await freePort(),
  env: {
    LOOP_REPORT: reports,
    NODE_OPTIONS: `--import=${new URL('./loop-monitor.mjs', import.meta.url).href}`,
    BERTH_LOG_LEVEL: 'error',
  },
});
const credentials = { username: 'admin', password: hub.adminPassword };
const door = { origin: hub.url, namespace: 'fuzz/charts', credentials };
const statuses = new Map<string, number>();
const faults: string[] = [];
await sleep(6_000);

const from = performance.now();
for (let done = 0; done < runs; done += BATCH) {
  const inputs = fc.sample(upload, { numRuns: Math.min(BATCH, runs - done), seed: seed + done });
  await Promise.all(Array.from({ length: PARALLEL }, (_, lane) => sendLane(inputs, lane)));
  if (done % 2_000 === 0) console.log(`${done} ${Math.round((performance.now() - from) / 1000)} s`, faults.slice(0, 3));
}

async function sendLane(inputs: readonly Upload[], lane: number): Promise<void> {
  for (let i = lane; i < inputs.length; i += PARALLEL) {
    const answer = await sendUpload(door, inputs[i]!).catch((error: unknown) => {
      faults.push(String(error));
      return undefined;
    });
    const status = String(answer?.status ?? 'gone');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const fault = faultOf(answer);
    if (fault !== undefined) faults.push(fault);
  }
}

const seconds = Math.round((performance.now() - from) / 1000);
await sleep(2_000);
const connectionString = (await findEmbeddedPostgres(join(dataDir, 'postgres'))) ?? '';
const db = openDatabase({ connectionString, maxConnections: 1, applicationName: 'campaign', onIdleError: () => {} });
const left = [...(await leftovers(db)), ...(await withoutOwner(db, await keysOnDisk(dataDir)))];
await db[Symbol.asyncDispose]();
const workers = hub.workerPids().length;
await hub.stop();
const loops = await Promise.all(
  (await readdir(reports)).map(async (file) => JSON.parse(await readFile(join(reports, file), 'utf8')) as object),
);
await rm(reports, { recursive: true });
await rm(dataDir, { recursive: true, force: true });
console.log(
  JSON.stringify(
    { runs, seed, seconds, statuses: Object.fromEntries(statuses), faults, left, workers, loops },
    undefined,
    1,
  ),
);
process.exitCode = faults.length + left.length > 0 ? 1 : 0;
