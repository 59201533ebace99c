/** What a run would do now, said without doing it. */
import type { Database } from '../../db/database.ts';
import {
  selectDigests,
  selectNow,
  selectRetentionRepositories,
  selectTrackedSince,
  type RetentionRepository,
} from '../queries/retention-load.ts';
import { digestFromBytes } from '../../blobs/digest.ts';
import { explainManifest, explainTag, namedBy } from './explain.ts';
import { collectGone, freedBy, type Gone } from './freed.ts';
import { goes } from './judge-manifests.ts';
import { createPause } from './pause.ts';
import { planRepository, type Counts, type Plan, type Planning } from './plan.ts';
import { CONDEMNED } from './plan-shapes.ts';
import type { Rule } from './rule.ts';
import { readyRules } from './rules.ts';

export interface Decision {
  readonly repository: string;
  readonly kind: 'tag' | 'manifest';
  /** Of a tag. */
  readonly name: string | undefined;
  readonly digest: string | undefined;
  readonly decision: 'deleted' | 'kept';
  readonly reason: string;
}

export type Shown = 'deleted' | 'kept' | 'all';

/** Where a page begins: decisions of the repository from this one on, ages counted to `at`. */
export interface PreviewPlace {
  readonly repository: number;
  readonly index: number;
  readonly at: number;
}

export interface PreviewTotals extends Counts {
  readonly bytes: number;
  /** Repositories that are too large to be judged. */
  readonly skipped: readonly string[];
}

export interface PreviewPage {
  /** On the first page. */
  readonly totals: PreviewTotals | undefined;
  readonly decisions: readonly Decision[];
  readonly next: PreviewPlace | undefined;
}

export interface PreviewRequest {
  readonly projectId: number;
  readonly rules: readonly Rule[];
  readonly shown: Shown;
  readonly limit: number;
  readonly from: PreviewPlace | undefined;
}

/** Previews are many rows and much reckoning, so a process makes one at a time. */
let before: Promise<unknown> = Promise.resolve();

/** @throws {RetentionError} policy-invalid */
export async function preview(db: Database, request: PreviewRequest): Promise<PreviewPage> {
  const mine = before.then(() => previewNow(db, request));
  before = mine.catch(() => undefined);
  return mine;
}

async function previewNow(db: Database, request: PreviewRequest): Promise<PreviewPage> {
  const { projectId, shown, limit, from } = request;
  const planning: Planning = {
    db,
    rules: readyRules(request.rules),
    at: from?.at ?? (await selectNow(db)),
    trackedSince: await selectTrackedSince(db),
    pause: createPause(),
  };
  const totals = { tagsKept: 0, tagsDeleted: 0, manifestsKept: 0, manifestsDeleted: 0 };
  const skipped: string[] = [];
  const gone: Gone = { manifests: [], drafts: [] };
  const decisions: Decision[] = [];
  let next: PreviewPlace | undefined;
  for await (const repository of repositoriesOf(db, projectId, from?.repository ?? 0)) {
    if (from && next) break;
    const plan = await planRepository(planning, repository);
    if (plan === 'uncovered') continue;
    if (plan === 'too large') {
      skipped.push(repository.path);
      continue;
    }
    for (const key of Object.keys(totals) as (keyof Counts)[]) totals[key] += plan.counts[key];
    if (!from) collectGone(gone, plan);
    if (next) continue;
    const start = from?.repository === repository.id ? from.index : 0;
    const rest = await takePage(planning, plan, shown, start, limit - decisions.length, decisions);
    if (rest !== undefined) next = { repository: repository.id, index: rest, at: planning.at };
  }
  if (from) return { totals: undefined, decisions, next };
  const bytes = await freedBy(db, projectId, gone);
  return { totals: { ...totals, bytes, skipped }, decisions, next };
}

const REPOSITORIES = 200;

/** Those with the id or a higher one. */
export async function* repositoriesOf(
  db: Database,
  projectId: number,
  from: number,
): AsyncGenerator<RetentionRepository> {
  for (let after = from - 1; ;) {
    const page = await selectRetentionRepositories(db, projectId, after, REPOSITORIES);
    yield* page;
    if (page.length < REPOSITORIES) return;
    after = page.at(-1)!.id;
  }
}

/** Adds decisions, tags first; returns the index to go on from when there may be more. */
async function takePage(
  { db, pause }: Planning,
  plan: Plan,
  shown: Shown,
  start: number,
  room: number,
  into: Decision[],
): Promise<number | undefined> {
  const { graph, fates, manifests } = plan;
  const tagCount = graph.tags.names.length;
  const end = tagCount + graph.manifests.ids.length;
  const tags: number[] = [];
  const list: number[] = [];
  let index = start;
  for (; index < end; index++) {
    if (index % 1_024 === 0) await pause();
    const isTag = index < tagCount;
    const deleted = isTag ? fates[index] === CONDEMNED : goes(manifests.why[index - tagCount]!);
    if (shown !== 'all' && deleted !== (shown === 'deleted')) continue;
    if (tags.length + list.length === room) break;
    if (isTag) tags.push(index);
    else list.push(index - tagCount);
  }
  const digests = await selectDigests(db, namedBy(plan, tags, list));
  const digestOf = (place: number): string | undefined => {
    const bytes = place < 0 ? undefined : digests.get(graph.manifests.ids[place]!);
    return bytes && digestFromBytes(bytes);
  };
  const repository = graph.repository.path;
  for (const tag of tags) {
    into.push({
      repository,
      kind: 'tag',
      name: graph.tags.names[tag]!,
      digest: digestOf(graph.tags.manifest[tag]!),
      decision: fates[tag] === CONDEMNED ? 'deleted' : 'kept',
      reason: explainTag(plan, tag, digests),
    });
  }
  for (const i of list) {
    into.push({
      repository,
      kind: 'manifest',
      name: undefined,
      digest: digestOf(i),
      decision: goes(manifests.why[i]!) ? 'deleted' : 'kept',
      reason: explainManifest(plan, i, digests),
    });
  }
  return index < end ? index : undefined;
}
