/** One worker: the world, the application and, in one of them, the background jobs. */
import { createServer } from './app.ts';
import { createContext } from './context.ts';
import type { Database } from './db/database.ts';
import type { HubStart } from './process/hub-start.ts';
import { listen } from './process/listen.ts';
import { freeClaims } from './registry/queries/uploads.ts';
import { freeDeliveries } from './registry/queries/webhook-deliveries.ts';
import { startWorkerJobs } from './worker.ts';

export interface RunningWorker {
  /** Frees the uploads and messages that a process which is gone had claimed. */
  free(claimant: string): Promise<void>;
  /** Ends it: readiness fails at once, requests under way may finish for `config.drainSeconds`. */
  close(): Promise<void>;
}

export async function startWorker(start: HubStart): Promise<RunningWorker> {
  const { config, secrets } = start;
  let draining = false;
  const context = await createContext(config, secrets, {
    process: `worker ${start.worker}`,
    claimant: start.claimant,
  });
  for (const claimant of start.former) await free(context.db, claimant);
  const runner = start.jobs ? await startWorkerJobs(context) : undefined;
  const listening = await listen(createServer(context, { draining: () => draining }), config);
  return {
    free: (claimant) => free(context.db, claimant),
    async close() {
      draining = true;
      await listening.close(config.drainSeconds);
      await runner?.[Symbol.asyncDispose]();
      await free(context.db, start.claimant).catch(() => {});
      await context[Symbol.asyncDispose]();
    },
  };
}

async function free(db: Database, claimant: string): Promise<void> {
  await freeClaims(db, claimant);
  await freeDeliveries(db, claimant);
}
