/** One transaction of a run: looks again under locks, deletes what nothing speaks against by then, and writes it down. */
import { digestFromBytes } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { recordEvents } from '../../jobs/outbox.ts';
import { settledDigest } from '../files/build.ts';
import { hideManifests } from '../queries/manifests.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import { insertDecisions, type NewDecision } from '../queries/retention-decisions.ts';
import * as rows from '../queries/retention-delete.ts';
import { selectDigests } from '../queries/retention-load.ts';
import { noteProgress, type RunRow } from '../queries/retention-runs.ts';
import { recordTagMoves, removeTags } from '../queries/tags.ts';
import type { Registry } from '../registry.ts';
import type { Batch } from './batches.ts';
import { explainManifest, explainTag, namedBy, type Digests } from './explain.ts';
import { REFERRER } from './graph.ts';
import { guardedImmutability } from './immutable.ts';
import { LATEST } from './judge-tags.ts';
import type { Plan } from './plan.ts';
import { KEPT } from './plan-shapes.ts';
import { whatStays, type DoomedTag, type Left } from './recheck.ts';

/** The run was taken over by another worker: nothing of this one's is committed any more. */
export class LostRun extends Error {
  override readonly name = 'LostRun';
}

export interface Working {
  readonly registry: Registry;
  readonly run: RunRow;
  readonly worker: string;
}

/** 'changed': the repository has another name, or tags are gone that the plan counts on; it has to be made again. */
export async function deleteBatch(working: Working, plan: Plan, batch: Batch): Promise<'done' | 'busy' | 'changed'> {
  const { registry, run, worker } = working;
  const { graph } = plan;
  const digests = await selectDigests(registry.db, namedBy(plan, batch.tags, batch.manifests));
  const doomed = await settleStale(working, plan, batch);
  return registry.db.transaction(async (tx) => {
    const place = await rows.tryLockRepository(tx, graph.repository.id);
    if (!place) return 'busy';
    if (place.projectId !== run.projectId || place.path !== graph.repository.path) return 'changed';
    const latest = latestOf(plan);
    if ((await rows.countTags(tx, graph.repository.id, latest)) !== latest.length) return 'changed';
    const found = await look(tx, plan, batch, doomed);
    const progress = await carryOut(tx, working, plan, { doomed, digests, batch, ...found });
    if (!(await noteProgress(tx, run.id, worker, progress))) throw new LostRun('another worker has the run');
    return 'done';
  });
}

/** Seconds: pulls of other workers come to be known so much later. */
const LATE_PULLS = 60;

interface Doomed {
  readonly tags: readonly (DoomedTag & { readonly at: number })[];
  readonly manifests: readonly number[];
  readonly built: ReadonlySet<number>;
}

/** Versions whose files are in no manifest yet get theirs, so that what goes can come back. */
async function settleStale({ registry, run }: Working, { graph }: Plan, batch: Batch): Promise<Doomed> {
  const manifests = batch.manifests.map((i) => graph.manifests.ids[i]!);
  const known = new Set(manifests);
  const built = new Set<number>();
  const tags = [];
  const place = { id: graph.repository.id, projectId: run.projectId };
  for (const at of batch.tags) {
    const name = graph.tags.names[at]!;
    let manifestId = graph.manifests.ids[graph.tags.manifest[at]!]!;
    if (graph.tags.stale[at]) {
      await settledDigest(registry, place, name);
      const now = await rows.selectTagManifest(registry.db, place.id, name);
      if (now) manifestId = now.manifest_id;
      if (!known.has(manifestId)) built.add(manifestId);
    }
    tags.push({ at, name, manifestId, pushed: graph.tags.pushed[at]! });
  }
  return { tags, manifests: [...manifests, ...built], built };
}

interface Found {
  readonly left: Left;
  readonly locked: ReadonlyMap<number, Buffer>;
  readonly tagDigests: ReadonlyMap<string, Buffer>;
}

async function look(tx: Transaction, plan: Plan, batch: Batch, doomed: Doomed): Promise<Found> {
  const { repository, at } = plan.graph;
  const immutable = await guardedImmutability(tx, repository.id);
  const lockedRows = await rows.tryLockManifests(tx, repository.id, doomed.manifests);
  const locked = new Map(lockedRows.map(({ id, digest }) => [id, digest]));
  const names = doomed.tags.map(({ name }) => name);
  const ids = [...locked.keys()];
  const tagsNow = await rows.lockTagsNow(tx, repository.id, names, ids);
  const subjects = tagsNow.map((tag) => tag.subject_id).filter((id) => id !== null);
  const now = await rows.selectManifestsNow(tx, repository.id, ids, referrersOf(plan, batch));
  const left = whatStays({
    tags: doomed.tags,
    manifests: doomed.manifests,
    built: doomed.built,
    needs: needsWithin(plan, batch),
    pulledAfter: plan.rules.some(({ rule }) => rule.keep_pulled_days !== undefined || rule.untagged_days !== undefined)
      ? at - LATE_PULLS
      : Infinity,
    immutable,
    tagsNow,
    manifestsNow: new Map(now.map((row) => [row.id, row])),
    live: await rows.selectLive(tx, [...new Set([...doomed.manifests, ...subjects])]),
  });
  return { left, locked, tagDigests: new Map(tagsNow.map(({ name, digest }) => [name, digest])) };
}

interface Carrying extends Found {
  readonly doomed: Doomed;
  readonly digests: Digests;
  readonly batch: Batch;
}

async function carryOut(tx: Transaction, { run }: Working, plan: Plan, carrying: Carrying) {
  const { doomed, left, locked, tagDigests, digests, batch } = carrying;
  const { repository } = plan.graph;
  const tags = doomed.tags.filter(({ name }) => !left.tags.has(name) && !left.goneTags.has(name));
  const ids = doomed.manifests.filter((id) => !left.manifests.has(id) && locked.has(id));
  const names = tags.map(({ name }) => name);
  const before = names.map((name) => tagDigests.get(name)!);
  const actorId = run.startedById;
  const common = { actorId: actorId ?? 0, projectId: run.projectId, repositoryId: repository.id };
  if (names.length + ids.length > 0) {
    await removeTags(tx, repository.id, names);
    await recordTagMoves(tx, { repositoryId: repository.id, actorId, names, before, after: null });
    const hidden = ids.map((id) => ({ id, tags: tags.filter((tag) => tag.manifestId === id).map(({ name }) => name) }));
    await hideManifests(tx, repository.id, hidden, { reason: 'retention', runId: run.id, actorId });
    await bumpRepositoryEpoch(tx, repository.id);
    const why = { reason: 'retention', run: run.id };
    const goneIds = new Set(ids);
    await recordEvents(tx, common, [
      ...hidden.map(({ id, tags: taken }) => ({
        type: 'manifest.deleted',
        data: { digest: digestFromBytes(locked.get(id)!), tags: taken, ...why },
      })),
      ...tags
        .filter(({ manifestId }) => !goneIds.has(manifestId))
        .map(({ name }) => ({
          type: 'tag.deleted',
          data: { tag: name, before: { [name]: digestFromBytes(tagDigests.get(name)!) }, ...why },
        })),
    ]);
  }
  const decisions = decisionsOf(plan, carrying, tags, new Set(ids), digests, batch);
  await insertDecisions(tx, { runId: run.id, repositoryId: repository.id, path: repository.path }, decisions);
  const skipped = decisions.filter(({ decision }) => decision === 'skipped').length;
  return { tagsDeleted: names.length, manifestsDeleted: ids.length, skipped };
}

function decisionsOf(
  plan: Plan,
  { doomed, left, locked, tagDigests }: Carrying,
  deleted: readonly DoomedTag[],
  ids: ReadonlySet<number>,
  digests: Digests,
  batch: Batch,
): NewDecision[] {
  const made: NewDecision[] = [];
  const gone = new Set(deleted.map(({ name }) => name));
  for (const { at, name, manifestId, pushed } of doomed.tags) {
    const digest = tagDigests.get(name);
    const stays = left.tags.get(name);
    if (!digest || (stays === undefined && !gone.has(name))) continue;
    const reason = stays === undefined ? explainTag(plan, at, digests) : `left because ${stays}`;
    made.push({
      kind: 'tag',
      name,
      manifestId,
      digest,
      pushed,
      decision: stays === undefined ? 'deleted' : 'skipped',
      reason,
    });
  }
  const place = new Map(batch.manifests.map((i) => [plan.graph.manifests.ids[i]!, i]));
  for (const id of doomed.manifests) {
    const digest = locked.get(id) ?? digests.get(id);
    const stays = left.manifests.get(id);
    if (!digest || (stays !== undefined && doomed.built.has(id)) || (stays === undefined && !ids.has(id))) continue;
    const i = place.get(id);
    const why =
      i === undefined ? 'deleted because its tag is, whose files it stands for' : explainManifest(plan, i, digests);
    const reason = stays === undefined ? why : `left because ${stays}`;
    const decision = stays === undefined ? 'deleted' : 'skipped';
    made.push({ kind: 'manifest', name: null, manifestId: id, digest, pushed: null, decision, reason });
  }
  return made;
}

/** Tags whose place among the latest has made others go. */
function latestOf({ graph, fates, tagVerdicts }: Plan): string[] {
  return graph.tags.names.filter((_, tag) => fates[tag] === KEPT && tagVerdicts.how[tag] === LATEST);
}

/** What referred to a manifest of the batch when the decision was made: it goes next, or stays for another reason. */
function referrersOf({ graph }: Plan, batch: Batch): number[] {
  const { start, target, why } = graph.edges;
  const ids: number[] = [];
  for (const i of batch.manifests) {
    for (let e = start[i]!; e < start[i + 1]!; e++) {
      if (why[e] === REFERRER) ids.push(graph.manifests.ids[target[e]!]!);
    }
  }
  return ids;
}

function needsWithin({ graph }: Plan, batch: Batch): Map<number, number[]> {
  const { start, target } = graph.edges;
  const within = new Set(batch.manifests);
  const needs = new Map<number, number[]>();
  for (const i of batch.manifests) {
    const others: number[] = [];
    for (let e = start[i]!; e < start[i + 1]!; e++) {
      if (within.has(target[e]!)) others.push(graph.manifests.ids[target[e]!]!);
    }
    if (others.length > 0) needs.set(graph.manifests.ids[i]!, others);
  }
  return needs;
}
