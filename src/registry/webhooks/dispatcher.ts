/**
 * Sends what waits, beside the background jobs: a slow receiver must not hold one of their two places for 15 seconds. Any number of
 * processes may do it; a message is claimed in its row, and what a process that was killed had claimed is sent by another a minute
 * later.
 */
import { claimDue, freeDeliveries, type ClaimedRow } from '../queries/webhook-deliveries.ts';
import { skipOutbox } from '../queries/webhook-outbox.ts';
import { deliver } from './deliver.ts';
import { fanOut } from './fan-out.ts';
import type { WebhookParts } from './parts.ts';

/** Requests under way in one process: in all, to hooks that fail, of one project (the hub is one, too), of one hook. */
const MOST = 16;
const MOST_FAILING = 8;
const MOST_OF_PROJECT = 6;
const MOST_OF_HOOK = 2;
/** Longer than an attempt may take. */
const CLAIM_SECONDS = 60;
const BEAT_MS = 1_000;
/** How often the cursor follows the outbox while there are no hooks. */
const SKIP_MS = 30_000;
/** After a failure of its own, such as Postgres that is away. */
const REST_MS = 10_000;
/** Requests under way may take that long when the process ends. */
const GRACE_MS = 5_000;

export interface Dispatcher extends AsyncDisposable {
  /** Tells whatever is due now, and returns when nothing of it is under way any more. */
  settle(): Promise<void>;
}

/** @param options.beat false: only `settle` does anything */
export function startDispatcher(
  parts: WebhookParts,
  options: { readonly onError: (error: unknown) => void; readonly beat?: boolean },
): Dispatcher {
  const { db, worker } = parts.registry;
  const stop = new AbortController();
  const underWay = new Map<number, { readonly claimed: ClaimedRow; readonly done: Promise<void> }>();
  let skippedAt = -Infinity;
  let restsUntil = -Infinity;
  let ending = false;
  /** A place has become free since the beat under way looked. */
  let again = false;
  let beating: Promise<void> | undefined;

  async function read(): Promise<void> {
    for (;;) {
      if (ending) return;
      const came = await fanOut(parts);
      if (came === 'none' && performance.now() - skippedAt > SKIP_MS) {
        skippedAt = performance.now();
        await skipOutbox(db);
      }
      if (came !== 'more') return;
      await claim();
    }
  }

  /** Returns how many it has set off. */
  async function claim(): Promise<number> {
    const now = [...underWay.values()].map(({ claimed }) => claimed);
    const slots = MOST - now.length;
    if (slots <= 0 || ending) return 0;
    const projects = now.map(({ projectId }) => projectId ?? 0);
    const rows = await claimDue(db, {
      worker,
      seconds: CLAIM_SECONDS,
      slots,
      failingSlots: Math.max(0, Math.min(slots, MOST_FAILING - now.filter(({ failing }) => failing).length)),
      busyHooks: [
        ...repeated(
          now.map(({ webhookId }) => webhookId),
          MOST_OF_HOOK,
        ),
        // One at a time until one is taken.
        ...now.filter(({ failing }) => failing).map(({ webhookId }) => webhookId),
      ],
      busyProjects: repeated(projects, MOST_OF_PROJECT - 1),
    });
    for (const claimed of rows) {
      const done = deliver(parts, claimed, stop.signal)
        .catch(options.onError)
        .then(() => {
          underWay.delete(claimed.id);
          beat();
        });
      underWay.set(claimed.id, { claimed, done });
    }
    return rows.length;
  }

  async function claimAll(): Promise<number> {
    let all = 0;
    for (let count = await claim(); count > 0; count = await claim()) all += count;
    return all;
  }

  function beat(): void {
    if (options.beat === false || ending || performance.now() < restsUntil) return;
    if (beating !== undefined) {
      again = true;
      return;
    }
    again = false;
    beating = read()
      .then(async () => void (await claimAll()))
      .catch((error: unknown) => {
        restsUntil = performance.now() + REST_MS;
        options.onError(error);
      })
      .finally(() => {
        beating = undefined;
        if (again) beat();
      });
  }

  const timer = options.beat === false ? undefined : setInterval(beat, BEAT_MS);
  return {
    async settle() {
      await read();
      for (;;) {
        // Asked beforehand: what ends while claims are made leaves its place to something that they did not get.
        const idle = underWay.size === 0;
        if ((await claimAll()) === 0 && idle) return;
        if (underWay.size > 0) await Promise.race([...underWay.values()].map(({ done }) => done));
      }
    },
    async [Symbol.asyncDispose]() {
      ending = true;
      clearInterval(timer);
      const grace = setTimeout(() => stop.abort(), GRACE_MS);
      await beating;
      await Promise.all([...underWay.values()].map(({ done }) => done));
      clearTimeout(grace);
      stop.abort();
      await freeDeliveries(db, worker).catch(options.onError);
    },
  };
}

/** What is in the list at least so often, once. */
function repeated(ids: readonly number[], times: number): number[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= times).map(([id]) => id);
}
