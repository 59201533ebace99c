/** `berth gc`: collects now, beside a running or a stopped hub, or says what that would remove. */
import { openStore } from '../blobs/open.ts';
import { checkInstance } from '../blobs/instance.ts';
import { anyBlob } from '../blobs/queries.ts';
import type { Reading } from '../config.ts';
import { createLog } from '../log.ts';
import { collect } from '../registry/gc/collect.ts';
import { previewCollection } from '../registry/gc/preview.ts';
import type { Counts } from '../registry/gc/run.ts';
import { withDatabase } from './database-access.ts';
import { withMigrated } from './prepare.ts';

/** Returns 0, or 3 when a hub is collecting already and nothing was done. */
export async function collectGarbage({ config }: Reading, dryRun: boolean): Promise<number> {
  const log = createLog(config.logLevel, 'gc');
  const { uploadIdleSeconds } = config.limits;
  return withDatabase(config, log, (located) =>
    withMigrated(located, async (db) => {
      const { store } = await openStore(config.store);
      try {
        await checkInstance(db, store, await anyBlob(db));
        const world = { db, store, clocks: config.gc };
        if (dryRun) {
          process.stdout.write(`Would remove:\n${table(await previewCollection(world, { uploadIdleSeconds }))}`);
          return 0;
        }
        const { busy, ...counts } = await collect(world, { cause: 'command', uploadIdleSeconds });
        if (busy) {
          process.stdout.write('The hub is collecting at this moment. Try again in a minute.\n');
          return BUSY;
        }
        process.stdout.write(`Removed:\n${table(counts)}`);
        return 0;
      } finally {
        await store[Symbol.asyncDispose]();
      }
    }),
  );
}

const BUSY = 3;

function table({ bytes, objectBytes, ...counts }: Counts): string {
  const lines: [number, string][] = [
    [counts.manifests, 'manifests from the trash'],
    [counts.orphans, 'signatures and other referrers, moved to the trash because their subject is gone'],
    [counts.links, 'contents from repositories'],
    [counts.blobs, `contents that no repository has any more, of ${bytes} bytes`],
    [counts.uploads, 'uploads that nobody continued'],
    [counts.objects, `objects from the store, of ${objectBytes} bytes`],
  ];
  return lines.map(([count, what]) => `${String(count).padStart(10)}  ${what}\n`).join('');
}
