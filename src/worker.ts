/** Every background job, in one list: the table of contents of background work. */
import { sweepDeadObjects } from './blobs/sweep.ts';
import type { Context } from './context.ts';
import { startJobs, type Job, type JobRunner } from './jobs/queue.ts';
import { pruneShares } from './registry/files-share.ts';
import { pruneEvents } from './registry/prune.ts';
import { reapIdleUploads } from './registry/reap.ts';

export function jobs({ db, store, registry, config }: Context): Job<never>[] {
  return [
    {
      // Uploads that nobody touched for a day, with their objects.
      name: 'reap-uploads',
      every: '*/5 * * * *',
      run: async () => void (await reapIdleUploads(registry, config.limits.uploadIdleSeconds)),
    },
    {
      // Bytes of objects that nothing names any more.
      name: 'sweep-dead-objects',
      every: '* * * * *',
      run: async () => void (await sweepDeadObjects(db, store)),
    },
    {
      // The outbox keeps a month.
      name: 'prune-events',
      every: '17 * * * *',
      run: () => pruneEvents(db),
    },
    {
      // Links to files that have expired.
      name: 'prune-shares',
      every: '23 * * * *',
      run: () => pruneShares(db),
    },
  ];
}

/** Runs the jobs in this process until disposed. */
export function startWorkerJobs(context: Context): Promise<JobRunner> {
  return startJobs(context.db, jobs(context), {
    concurrency: 2,
    onError: (job, error) => context.log.error({ job, err: error }, 'a background job failed; it will be tried again'),
  });
}
