/**
 * The storm as a campaign: `node test/torture/storm-run.ts --minutes 30 --store disk|s3 [--seed N] [--kill-seconds N]
 * [--compare-seconds N]`. With s3 the bytes are in the fake, or on the server that BERTH_TEST_S3_ENDPOINT names. Without kills it
 * also compares how long requests take with collection on and off, in windows of `--compare-seconds` (0: collection is on
 * throughout). Exits with 1 when something was wrong, or collection makes requests slower than is demanded.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runStorm } from './storm.ts';
import { diskStore, s3Store } from './storm-stores.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    store: { type: 'string', default: 'disk' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '16' },
    'kill-seconds': { type: 'string' },
    'compare-seconds': { type: 'string', default: '30' },
    'checkpoint-seconds': { type: 'string', default: '60' },
    lease: { type: 'string', default: '20' },
    undo: { type: 'string', default: '17' },
    delay: { type: 'string', default: '1' },
    'bytes-delay': { type: 'string', default: '10' },
  },
});
if (values.store !== 'disk' && values.store !== 's3') throw new Error('--store is disk or s3');
const seed = Number(values.seed ?? randomBytes(4).readUInt32LE());
const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
await using store = values.store === 'disk' ? diskStore() : await s3Store();
console.log(`storm on ${store.name}, ${values.minutes} minutes, seed ${seed}, commit ${commit}`);
const killSeconds = values['kill-seconds'] === undefined ? undefined : Number(values['kill-seconds']);
const compareSeconds = killSeconds === undefined ? Number(values['compare-seconds']) || undefined : undefined;
if (compareSeconds === undefined)
  console.log(`${killSeconds === undefined ? '' : 'with kills '}how long requests take is not measured`);
const { problems, counts, collected, comparison } = await runStorm({
  seed,
  seconds: Number(values.minutes) * 60,
  store,
  clients: Number(values.clients),
  clocks: {
    lease: Number(values.lease),
    undo: Number(values.undo),
    delay: Number(values.delay),
    bytesDelay: Number(values['bytes-delay']),
  },
  checkpointSeconds: Number(values['checkpoint-seconds']),
  killSeconds,
  compareSeconds,
  say: console.log,
});
for (const [what, count] of [...counts].sort(([a], [b]) => a.localeCompare(b)))
  console.log(`${String(count).padStart(9)}  ${what}`);
for (const [what, count] of Object.entries(collected)) console.log(`${String(count).padStart(9)}  collected: ${what}`);
for (const line of comparison?.lines ?? []) console.log(line);
for (const problem of problems) console.log(problem);
const missed = comparison?.missed ?? [];
for (const sentence of missed) console.log(`MISSED ${sentence}`);
const well = problems.length + missed.length === 0;
const verdict = well ? 'all is well' : `${problems.length} problems, ${missed.length} demands missed`;
console.log(`load ${loadavg()[0]?.toFixed(1)}; ${verdict}`);
process.exitCode = well ? 0 : 1;
