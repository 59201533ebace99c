/** A process that collects as a hub's job does, with a store that only counts, and says what it took. */
import { readFileSync } from 'node:fs';
import type { BlobStore } from '../../src/blobs/store.ts';
import { openDatabase } from '../../src/db/database.ts';
import { collect } from '../../src/registry/gc/collect.ts';
import type { CollectorResult, CollectorTask } from './collector.ts';
import { explaining } from './explain.ts';

const DAY = 86_400;

async function work(task: CollectorTask): Promise<CollectorResult> {
  await using database = openDatabase({
    connectionString: task.url,
    maxConnections: 4,
    applicationName: 'berth-bench-collector',
    onIdleError: () => {},
  });
  let deleted = 0;
  const store: BlobStore = {
    kind: 'disk',
    deletesAtOnce: 1_000,
    delete: async () => void deleted++,
    async deleteAll(keys) {
      deleted += keys.length;
      return { gone: keys, failure: undefined };
    },
    write: refuse,
    read: refuse,
    size: refuse,
    check: refuse,
    async [Symbol.asyncDispose]() {},
  };
  const { db, plans } = task.explain ? explaining(database) : { db: database, plans: () => [] };
  const memoryBefore = memory('VmRSS');
  const from = performance.now();
  const { pace } = task;
  // Nothing waits, so that one run sees all of it through.
  const clocks = { undo: 7 * DAY, delay: 0, bytesDelay: 0, lease: 2 * DAY };
  const report = await collect({ db, store, clocks }, { pace });
  const { user, system } = process.cpuUsage();
  return {
    seconds: (performance.now() - from) / 1_000,
    report,
    deleted,
    memoryBefore,
    memoryPeak: memory('VmHWM'),
    cpuSeconds: (user + system) / 1e6,
    plans: plans(),
  };
}

function refuse(): never {
  throw new Error('The bench collects; it stores nothing');
}

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 1024;
}

process.once('message', (task: CollectorTask) => {
  work(task).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: Error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
