/** Links of repositories to contents: those that nothing uses go, once nobody can rely on them any more. */
import {
  FIRST_LINK,
  lockDueLinks,
  lockFreeLinks,
  lockFreeRepositories,
  removeLinks,
  settleDueLinks,
  type LinkCursor,
} from '../queries/gc-links.ts';
import { selectNow } from '../queries/gc-run.ts';
import type { RunInProgress } from './run.ts';

/** Few enough that whoever meets a batch waits for some milliseconds. */
const BATCH = 200;

/**
 * Looks at every link that is due now. A batch waits for nobody: a link, a repository or a row of the queue that somebody has
 * locked is left for the next run. Those who meet a batch wait for its end, some milliseconds, and then see what it did.
 */
export async function reviewLinks(run: RunInProgress): Promise<void> {
  const until = await selectNow(run.world.db);
  let after: LinkCursor | undefined = FIRST_LINK;
  while (after !== undefined && run.goesOn) after = (await reviewBatch(run, until, after)).next;
}

function reviewBatch(run: RunInProgress, until: string, after: LinkCursor) {
  const { undo, delay } = run.world.clocks;
  return run.batch(async (tx) => {
    const due = await lockDueLinks(tx, { until, delay, after, limit: BATCH });
    const next = due.length < BATCH ? undefined : due.at(-1);
    // Most links have a use: new ones come here when their lease is over. Nothing but the queue is locked for those.
    const unused = due.length === 0 ? [] : await settleDueLinks(tx, due, undo);
    if (unused.length === 0) return { removed: {}, next };
    // The repository first, as whoever deletes or pushes to a sparse one does.
    const repositories = await lockFreeRepositories(tx, [...new Set(unused.map((key) => key.repository_id))]);
    const free = await lockFreeLinks(
      tx,
      unused.filter((key) => repositories.has(key.repository_id)),
    );
    return { removed: { links: free.length === 0 ? 0 : await removeLinks(tx, free, undo) }, next };
  });
}
