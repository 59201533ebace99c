/** A dry run: what a run that began now would remove. */
import type { Transaction } from '../../db/database.ts';
import { lookUpsOnly } from '../../db/background.ts';
import {
  beginPreview,
  countPreview,
  previewBlobs,
  previewFreedLinks,
  previewLinks,
  previewOrphans,
  previewPurge,
  previewPurgeOfOrphans,
  previewQueuedBlobs,
  previewSubjects,
  type Step,
} from '../queries/gc-preview.ts';
import { FIRST_LINK } from '../queries/gc-links.ts';
import { FIRST_IN_TRASH } from '../queries/gc-purge.ts';
import type { Collecting, Counts } from './run.ts';

const PAGE = 5_000;

/**
 * Follows what is due now through all steps: the trash, the orphans, the links that these leave, the contents that no repository
 * has then. In one snapshot, and nothing is locked. While nobody pushes or deletes, the next run reports the same numbers.
 */
export function previewCollection(world: Collecting, options: { uploadIdleSeconds?: number } = {}): Promise<Counts> {
  const { clocks, store } = world;
  return world.db.transaction(async (tx) => {
    await beginPreview(tx);
    await lookUpsOnly(tx);
    await previewManifests(tx, world);
    await pages(FIRST_LINK, (after) => previewLinks(tx, after, clocks, PAGE));
    if (clocks.delay === 0) await pages(0, (after) => previewFreedLinks(tx, after, clocks, PAGE));
    await pages(0, (after) => previewQueuedBlobs(tx, after, PAGE));
    await pages({ repository_id: 0, blob_id: 0 }, (after) => previewBlobs(tx, after, PAGE));
    const { object_bytes: objectBytes, ...counts } = await countPreview(tx, {
      store: store.kind,
      bytesDelay: clocks.bytesDelay,
      uploadIdleSeconds: options.uploadIdleSeconds ?? null,
    });
    return { ...counts, objectBytes };
  });
}

/** Until nothing is added: what goes frees what it lists, and orphans what refers to it. */
async function previewManifests(tx: Transaction, { clocks }: Collecting): Promise<void> {
  for (;;) {
    let added = await pages(FIRST_IN_TRASH, (after) => previewPurge(tx, after, clocks, PAGE));
    if (clocks.undo === 0) added += await previewPurgeOfOrphans(tx);
    await previewSubjects(tx);
    added += await previewOrphans(tx);
    if (added === 0) return;
  }
}

async function pages<Cursor>(first: Cursor, page: (after: Cursor) => Promise<Step<Cursor>>): Promise<number> {
  let added = 0;
  let after: Cursor | undefined = first;
  while (after !== undefined) {
    const step: Step<Cursor> = await page(after);
    added += step.added;
    after = step.next;
  }
  return added;
}
