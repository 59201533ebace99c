/**
 * Carries a policy out: repository by repository, batch by batch, each a transaction of its own. Killed, it is begun again by
 * whoever takes the run over, from what is there then; what is deleted already is not there.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseUnavailable } from '../../db/errors.ts';
import { selectNow, selectRetentionRepository, selectTrackedSince } from '../queries/retention-load.ts';
import { beginAgain, claimRun, finishRun, noteProgress, releaseRun } from '../queries/retention-runs.ts';
import type { Registry } from '../registry.ts';
import { batchesOf } from './batches.ts';
import { deleteBatch, LostRun, type Working } from './delete-batch.ts';
import { freedByRun } from './freed.ts';
import { createPause, type Pause } from './pause.ts';
import { planRepository } from './plan.ts';
import { repositoriesOf } from './preview.ts';
import { finish } from './run-end.ts';
import { readyRules, type ReadyRule } from './rules.ts';
import { undo } from './undo.ts';

/** Works on the run, or on its undoing, unless it is over or another worker does. */
export async function workOnRun(registry: Registry, id: number): Promise<void> {
  const worker = randomUUID();
  const run = await claimRun(registry.db, id, worker);
  if (!run) return;
  const working = { registry, run, worker };
  try {
    await (run.state === 'undoing' ? undo(working) : carryOut(working));
  } catch (error) {
    if (error instanceof LostRun) return;
    await giveUp(working, error);
    throw error;
  }
}

async function carryOut(working: Working): Promise<void> {
  const { registry, run } = working;
  const { db } = registry;
  await registry.pulls.flush();
  await db.transaction((tx) => beginAgain(tx, run.id));
  const rules = readyRules(run.rules);
  const pause = createPause();
  const left: string[] = [];
  for await (const repository of repositoriesOf(db, run.projectId, 0)) {
    const obstacle = await inRepository(working, repository.id, rules, pause);
    if (obstacle !== undefined) left.push(`${repository.path} (${obstacle})`);
  }
  const bytes = await freedByRun(db, run.projectId, run.id);
  const error = left.length === 0 ? null : `Left for another run: ${left.slice(0, 20).join(', ')}`;
  await finish(working, 'done', bytes, error);
}

const PLANS = 3;

/** Why the repository was left, or a part of it. */
async function inRepository(
  working: Working,
  repositoryId: number,
  rules: readonly ReadyRule[],
  pause: Pause,
): Promise<string | undefined> {
  const { registry, run, worker } = working;
  const { db } = registry;
  for (let attempt = 1; ; attempt++) {
    const repository = await selectRetentionRepository(db, run.projectId, repositoryId);
    if (!repository) return undefined;
    const at = await selectNow(db);
    const trackedSince = await selectTrackedSince(db);
    const plan = await planRepository({ db, rules, at, trackedSince, pause }, repository);
    if (plan === 'uncovered') return undefined;
    if (plan === 'too large') return 'too large to be judged';
    let result: 'done' | 'busy' | 'changed' = 'done';
    for await (const batch of batchesOf(plan, pause)) {
      result = await patiently(() => deleteBatch(working, plan, batch));
      if (result !== 'done') break;
    }
    if (result === 'changed' && attempt < PLANS) continue;
    const { tagsKept, manifestsKept } = plan.counts;
    if (!(await noteProgress(db, run.id, worker, { tagsKept, manifestsKept }))) throw new LostRun('taken over');
    if (result === 'done') return undefined;
    return result === 'busy' ? 'somebody had it locked' : 'its tags kept changing';
  }
}

const TRIES = 20;
const RETRY_MS = 250;

/** Whoever has the repository's row has it for a moment. */
async function patiently<T>(attempt: () => Promise<T | 'busy'>): Promise<T | 'busy'> {
  for (let tries = 1; ; tries++) {
    const result = await attempt();
    if (result !== 'busy' || tries === TRIES) return result;
    await delay(RETRY_MS);
  }
}

/** What failed by its own doing ends there, and the report says so; after an outage the queue's next attempt goes on. */
async function giveUp({ registry, run, worker }: Working, error: unknown): Promise<void> {
  if (run.state === 'undoing' || error instanceof DatabaseUnavailable) {
    return releaseRun(registry.db, run.id, worker).catch(() => {});
  }
  const sentence = 'It failed by a fault of the hub, whose log has the particulars; what it had deleted can be undone.';
  const end = { state: 'failed', bytes: 0, error: sentence } as const;
  await finishRun(registry.db, run.id, worker, end).catch(() => {});
}
