import { expect, it } from 'vitest';
import { numberFrom, seedOfThisRun } from './random.ts';
import { runStorm, type StormReport } from './storm.ts';
import { diskStore, s3Store, type StormStore } from './storm-stores.ts';

/** A minute on each store; the long one is `storm-run.ts`. */
const SECONDS = numberFrom('BERTH_STORM_SECONDS', 60);
/** Turned down so far that what is deleted in the first half is gone in the second. */
const CLOCKS = { lease: 10, undo: 4, delay: 1, bytesDelay: 2 };

async function judge(store: StormStore): Promise<StormReport> {
  const seed = seedOfThisRun(`storm, ${store.name}`);
  const report = await runStorm({
    seed,
    seconds: SECONDS,
    store,
    clocks: CLOCKS,
    checkpointSeconds: 20,
    say: console.log,
  });
  expect(report.problems).toEqual([]);
  // It was a storm, and things were collected in the middle of it.
  expect(report.counts.get('whole pulls') ?? 0).toBeGreaterThan(SECONDS);
  expect(report.counts.get('uploads skipped') ?? 0).toBeGreaterThan(SECONDS);
  expect(report.collected.blobs).toBeGreaterThan(SECONDS);
  return report;
}

it('pushes against garbage collection, bytes on disk: nothing that was promised is missing, and the account balances', async () => {
  await using store = diskStore();
  await judge(store);
});

it('pushes against garbage collection, bytes on S3: nothing that was promised is missing, and the account balances', async () => {
  await using store = await s3Store();
  await judge(store);
});
