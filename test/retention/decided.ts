/** A run that stands between its decision and what it does with it. */
import { randomUUID } from 'node:crypto';
import sql from 'sql-template-tag';
import { selectNow, selectTrackedSince } from '../../src/registry/queries/retention-load.ts';
import { claimRun } from '../../src/registry/queries/retention-runs.ts';
import { batchesOf } from '../../src/registry/retention/batches.ts';
import { deleteBatch } from '../../src/registry/retention/delete-batch.ts';
import { createPause } from '../../src/registry/retention/pause.ts';
import { planRepository } from '../../src/registry/retention/plan.ts';
import { readyRules } from '../../src/registry/retention/rules.ts';
import type { TestHub } from '../harness/hub.ts';
import type { Repo } from '../harness/oci-client.ts';

/** The run's decision on the repository is made; the function carries it out. */
export async function decided(hub: TestHub, repo: Repo, id: string): Promise<() => Promise<string[]>> {
  const { registry } = hub.context;
  const { db } = registry;
  const worker = randomUUID();
  const run = (await claimRun(db, Number(id), worker))!;
  const repository = (await db.first<{ id: number; path: string }>(sql`
    select id, path from repositories where path = ${repo.name}`))!;
  const pause = createPause();
  const planning = {
    db,
    rules: readyRules(run.rules),
    at: await selectNow(db),
    trackedSince: await selectTrackedSince(db),
    pause,
  };
  const plan = await planRepository(planning, repository);
  if (typeof plan === 'string') throw new Error(plan);
  return async () => {
    const results: string[] = [];
    for await (const batch of batchesOf(plan, pause))
      results.push(await deleteBatch({ registry, run, worker }, plan, batch));
    return results;
  };
}
