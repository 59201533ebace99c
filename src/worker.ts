/** Every background job, in one list: the table of contents of background work. */
import { deleteOldKeys } from './api/queries/idempotency.ts';
import { chainAudit, pruneAudit } from './auth/audit-chain.ts';
import { pruneFailures } from './auth/attempts.ts';
import { pruneCiSessions } from './auth/ci-sessions.ts';
import { pruneSessions } from './auth/sessions.ts';
import type { Context } from './context.ts';
import { startJobs, type Job } from './jobs/queue.ts';
import { READ_CHART } from './registry/charts/limits.ts';
import { pruneDeliveries } from './registry/webhooks/deliveries.ts';
import { startDispatcher } from './registry/webhooks/dispatcher.ts';
import { pruneShares } from './registry/files/share.ts';
import { DELETE_REPOSITORY, deleteRest } from './registry/history/delete-repository.ts';
import { forgetRepositories } from './registry/history/forget.ts';
import { pruneHolds } from './registry/holds.ts';
import { pruneEvents } from './registry/prune.ts';
import { COLLECT, runCollectJob, runSweepJob, SWEEP, type CollectJob } from './registry/gc/jobs.ts';
import { pruneCollection } from './registry/gc/runs.ts';
import { RUN_RETENTION } from './registry/retention/runs.ts';
import { pruneRuns, startDueRuns } from './registry/retention/schedule.ts';
import { foldUsage } from './registry/quota/fold.ts';
import { LIST_CHARTS_OF, MOVE_REPOSITORY } from './registry/rename/jobs.ts';

/** Loaded when they are wanted: many a hub has no charts. */
const chartJobs = () => import('./registry/charts/jobs.ts');
/** Many a project keeps everything. */
const retention = () => import('./registry/retention/run.ts');
const moves = () => import('./registry/rename/moves.ts');

export function jobs({ db, registry, config }: Context): Job<never>[] {
  return [
    {
      // Uploads that nobody touched for a day, what is over in the trash, links and contents that nothing uses.
      name: COLLECT,
      every: '* * * * *',
      run: (payload: CollectJob) => runCollectJob(registry, payload),
    },
    {
      // Bytes of objects that nothing names any more.
      name: SWEEP,
      every: '* * * * *',
      run: () => runSweepJob(registry),
    },
    {
      // What collection reported is kept for 90 days; holds on bytes that are over.
      name: 'prune-collection',
      every: '47 3 * * *',
      run: () => pruneCollection(db),
    },
    {
      // What the outbox has becomes the audit trail, and the trail a chain.
      name: 'chain-audit',
      every: '* * * * *',
      run: () => chainAudit(db),
    },
    {
      // The trail keeps what BERTH_AUDIT_DAYS says.
      name: 'prune-audit',
      every: '41 3 * * *',
      run: () => pruneAudit(db, config.auditDays),
    },
    {
      // Answers to creates are kept for a day.
      name: 'prune-idempotency-keys',
      every: '29 * * * *',
      run: () => deleteOldKeys(db),
    },
    {
      // Sessions of browsers that are over.
      name: 'prune-sessions',
      every: '23 * * * *',
      run: () => pruneSessions(db, config.sessions),
    },
    {
      // Sessions of builds that were over a week ago.
      name: 'prune-ci-sessions',
      every: '53 * * * *',
      run: () => pruneCiSessions(db),
    },
    {
      // Wrong passwords that nobody has to wait for any more.
      name: 'prune-sign-in-failures',
      every: '41 * * * *',
      run: () => pruneFailures(db),
    },
    {
      // Charts too large to be read while somebody waits for the push.
      name: READ_CHART,
      run: async ({ manifestId }: { manifestId: number }) => (await chartJobs()).readPushedChart(registry, manifestId),
    },
    {
      // Charts that a hub of an earlier version took during an upgrade.
      name: 'list-charts',
      every: '41 * * * *',
      run: async () => (await chartJobs()).listUnlistedCharts(registry),
    },
    {
      // A repository that was renamed or moved holds charts that are listed elsewhere, or nowhere, by now.
      name: LIST_CHARTS_OF,
      run: async ({ repositoryId }: { repositoryId: number }) =>
        (await chartJobs()).listChartsOf(registry, repositoryId),
    },
    {
      // Repositories that change their project.
      name: MOVE_REPOSITORY,
      run: async ({ moveId }: { moveId: number }) => (await moves()).moveRepository(db, moveId),
    },
    {
      // The outbox keeps a month.
      name: 'prune-events',
      every: '17 * * * *',
      run: () => pruneEvents(db),
    },
    {
      // A project's retention policy, or the undoing of it.
      name: RUN_RETENTION,
      run: async ({ run }: { run: number }) => (await retention()).workOnRun(registry, run),
    },
    {
      // Daily runs that are due, and runs whose worker died.
      name: 'start-retention',
      every: '*/5 * * * *',
      run: () => startDueRuns(db),
    },
    {
      // Reports of retention are kept for 90 days.
      name: 'prune-retention-runs',
      every: '47 * * * *',
      run: () => pruneRuns(db),
    },
    {
      // What projects without a limit use, in one row each.
      name: 'fold-usage',
      every: '*/3 * * * *',
      run: () => foldUsage(db),
    },
    {
      // Links to files that have expired.
      name: 'prune-shares',
      every: '23 * * * *',
      run: () => pruneShares(db),
    },
    {
      // Messages of webhooks: the last thousand of a month.
      name: 'prune-webhook-deliveries',
      every: '37 * * * *',
      run: () => pruneDeliveries(db),
    },
    {
      // Holds that have expired, which count as none already.
      name: 'prune-holds',
      every: '37 * * * *',
      run: () => pruneHolds(db),
    },
    {
      // Repositories too large to be deleted while somebody waits.
      name: DELETE_REPOSITORY,
      run: (rest: Parameters<typeof deleteRest>[1]) => deleteRest(registry, rest),
    },
    {
      // Rows of deleted repositories of which nothing is left.
      name: 'forget-deleted-repositories',
      every: '47 * * * *',
      run: () => forgetRepositories(db),
    },
  ];
}

/** Runs the jobs in this process, and sends what webhooks are told, until disposed. */
export async function startWorkerJobs(context: Context): Promise<AsyncDisposable> {
  const { config, db, log, outbound, registry, secrets } = context;
  await using stack = new AsyncDisposableStack();
  stack.use(
    await startJobs(db, jobs(context), {
      concurrency: 2,
      onError: (job, error) => log.error({ job, err: error }, 'a background job failed; it will be tried again'),
    }),
  );
  const parts = { registry, secrets, outbound, source: config.publicUrls[0] as string };
  stack.use(
    startDispatcher(parts, {
      onError: (error) => log.error({ err: error }, 'webhooks could not be worked on; it will be tried again'),
    }),
  );
  return stack.move();
}
