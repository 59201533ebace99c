/** Uploads that were left lying. */
import { enqueue } from '../jobs/queue.ts';
import { reapUploads } from './queries/uploads.ts';
import type { Registry } from './registry.ts';

const BATCH = 500;

/** Drops uploads that nobody touched for `idleSeconds` and has their objects swept; returns how many. */
export async function reapIdleUploads(registry: Registry, idleSeconds: number): Promise<number> {
  let reaped = 0;
  for (;;) {
    const count = await registry.db.transaction(async (tx) => {
      const dropped = await reapUploads(tx, idleSeconds, BATCH);
      if (dropped > 0) await enqueue(tx, 'sweep-dead-objects', {}, 'sweep-dead-objects');
      return dropped;
    });
    reaped += count;
    if (count < BATCH) return reaped;
  }
}
