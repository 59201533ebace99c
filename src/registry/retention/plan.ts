/** What the rules come to in one repository, without doing anything yet. A preview shows it, a run does it. */
import type { Database } from '../../db/database.ts';
import type { RetentionRepository } from '../queries/retention-load.ts';
import { loadGraph, type Graph } from './graph.ts';
import { immutabilityIn, type Immutability } from './immutable.ts';
import { goes, judgeManifests, type ManifestVerdicts } from './judge-manifests.ts';
import { judgeTags, type TagVerdicts } from './judge-tags.ts';
import type { Pause } from './pause.ts';
import {
  CONDEMNED,
  FOLLOWS,
  HELD,
  IMMUTABLE,
  KEPT,
  LEASED,
  NO_SUBJECT,
  UNCOVERED,
  type TagFate,
} from './plan-shapes.ts';
import type { ReadyRule } from './rules.ts';

export interface Plan {
  readonly graph: Graph;
  /** Those that cover the repository. */
  readonly rules: readonly ReadyRule[];
  readonly trackedSince: number;
  readonly immutable: Immutability;
  readonly tagVerdicts: TagVerdicts;
  /** Of each tag, a `TagFate`. */
  readonly fates: Uint8Array;
  readonly manifests: ManifestVerdicts;
  readonly counts: Counts;
}

export interface Counts {
  readonly tagsKept: number;
  readonly tagsDeleted: number;
  readonly manifestsKept: number;
  /** With those that stand for files which were put one by one, and are built when they are deleted. */
  readonly manifestsDeleted: number;
}

export interface Planning {
  readonly db: Database;
  readonly rules: readonly ReadyRule[];
  /** Seconds since 1970: ages are counted to here. */
  readonly at: number;
  readonly trackedSince: number;
  readonly pause: Pause;
}

/** 'uncovered' when no rule is about the repository. */
export async function planRepository(
  planning: Planning,
  repository: RetentionRepository,
): Promise<Plan | 'uncovered' | 'too large'> {
  const { db, at, trackedSince, pause } = planning;
  const rules = planning.rules.filter((rule) => rule.coversPath(repository.path));
  if (rules.length === 0) return 'uncovered';
  const untagged = rules.some(({ rule }) => rule.untagged_days !== undefined);
  const graph = await loadGraph(db, repository, at, untagged, pause);
  if (graph === undefined) return 'too large';
  const immutable = await immutabilityIn(db, repository.id);
  const tagVerdicts = await judgeTags(graph, rules, trackedSince, pause);
  const fates = new Uint8Array(graph.tags.names.length);
  for (let tag = 0; tag < fates.length; tag++) {
    if (tag % 1_024 === 0) await pause();
    fates[tag] = fateOf(graph, tagVerdicts, tag, immutable);
  }
  const manifests = await judgeManifests(graph, fates, rules, pause);
  return {
    graph,
    rules,
    trackedSince,
    immutable,
    tagVerdicts,
    fates,
    manifests,
    counts: count(graph, fates, manifests),
  };
}

function fateOf(graph: Graph, { covered, keptBy }: TagVerdicts, tag: number, immutable: Immutability): TagFate {
  const manifest = graph.tags.manifest[tag]!;
  const subject = graph.tags.subject[tag]!;
  if (subject === -1) return NO_SUBJECT;
  if (subject === -2) {
    if (manifest < 0 || covered[tag] === 0) return UNCOVERED;
    if (keptBy[tag] !== -1) return KEPT;
    if (immutable(graph.tags.names[tag]!) !== undefined) return IMMUTABLE;
  }
  if (graph.holds.has(manifest)) return HELD;
  if (graph.manifests.leased[manifest]) return LEASED;
  return subject === -2 ? CONDEMNED : FOLLOWS;
}

function count(graph: Graph, fates: Uint8Array, { why }: ManifestVerdicts): Counts {
  let tagsDeleted = 0;
  let built = 0;
  for (let tag = 0; tag < fates.length; tag++) {
    if (fates[tag] !== CONDEMNED) continue;
    tagsDeleted++;
    if (graph.tags.stale[tag]) built++;
  }
  let gone = 0;
  for (const each of why) if (goes(each)) gone++;
  return {
    tagsDeleted,
    tagsKept: fates.length - tagsDeleted,
    manifestsDeleted: gone + built,
    manifestsKept: why.length - gone,
  };
}
