/** Which tags the rules let go of. What a tag's manifest says about it (a hold, a lease) is not looked at here. */
import type { SemVer } from 'semver';
import semver from 'semver';
import type { Graph } from './graph.ts';
import type { Pause } from './pause.ts';
import { versionOf, type ReadyRule } from './rules.ts';

/** What a rule can keep a tag for. */
export const LATEST = 1;
export const IN_RANGE = 2;
export const PUSHED = 3;
export const PULLED = 4;

export interface TagVerdicts {
  /** Bit mask of the rules that cover it, by their place among those of the repository. */
  readonly covered: Int32Array;
  /** Place of the first rule that keeps it; -1: none. */
  readonly keptBy: Int8Array;
  /** What for. */
  readonly how: Uint8Array;
  /** Its place among the latest, from 1. */
  readonly rank: Int32Array;
}

const DAY = 86_400;

/** Since when nobody has asked for it: what was pushed is in use, and what is older than the counting is not known. */
export function idleSince(graph: Graph, tag: number, trackedSince: number): number {
  const manifest = graph.tags.manifest[tag]!;
  const pulls = [graph.tags.pulled[tag]!, manifest < 0 ? NaN : graph.manifests.pulled[manifest]!];
  return Math.max(graph.tags.pushed[tag]!, trackedSince, ...pulls.filter((at) => !Number.isNaN(at)));
}

/**
 * @param rules those that cover the repository's path
 * @param trackedSince when pulls began to be counted
 */
export async function judgeTags(
  graph: Graph,
  rules: readonly ReadyRule[],
  trackedSince: number,
  pause: Pause,
): Promise<TagVerdicts> {
  const { tags, manifests, at } = graph;
  const count = tags.names.length;
  const covered = new Int32Array(count);
  const keptBy = new Int8Array(count).fill(-1);
  const how = new Uint8Array(count);
  const rank = new Int32Array(count);
  const keep = (tag: number, rule: number, reason: number, place = 0): void => {
    if (keptBy[tag] !== -1 && keptBy[tag]! <= rule) return;
    keptBy[tag] = rule;
    how[tag] = reason;
    rank[tag] = place;
  };
  const latest = rules.map(({ rule }) => new Latest(rule.keep_latest ?? 0));
  const needsVersions = rules.some((rule) => rule.byVersion);
  for (let tag = 0; tag < count; tag++) {
    if (tag % 256 === 0) await pause();
    const manifest = tags.manifest[tag]!;
    if (manifest < 0 || tags.subject[tag]! !== -2) continue;
    const name = tags.names[tag]!;
    const version = needsVersions ? versionOf(name) : null;
    for (const [i, ready] of rules.entries()) {
      const { rule } = ready;
      if (!ready.forTags || (ready.byVersion && !version)) continue;
      if (!ready.coversTag(name) || !ready.coversKind(manifests.kind[manifest]!)) continue;
      covered[tag]! |= 1 << i;
      if (version && ready.ranges.some((range) => range.test(version))) keep(tag, i, IN_RANGE);
      if (rule.keep_pushed_days !== undefined && at - tags.pushed[tag]! <= rule.keep_pushed_days * DAY) {
        keep(tag, i, PUSHED);
      }
      if (
        rule.keep_pulled_days !== undefined &&
        at - idleSince(graph, tag, trackedSince) <= rule.keep_pulled_days * DAY
      ) {
        keep(tag, i, PULLED);
      }
      if (rule.keep_latest === undefined) continue;
      if (rule.by === 'version') latest[i]!.offer(groupOf(version!, rule.per), tag, version!);
      else latest[i]!.take(tag);
    }
  }
  for (const [i, each] of latest.entries()) {
    for (const [tag, place] of each.kept()) keep(tag, i, LATEST, place);
    await pause();
  }
  return { covered, keptBy, how, rank };
}

function groupOf(version: SemVer, per: 'repository' | 'major' | 'minor' = 'repository'): string {
  if (per === 'repository') return '';
  return per === 'major' ? String(version.major) : `${version.major}.${version.minor}`;
}

/** The first `most` of each group, without sorting the others. */
class Latest {
  readonly #most: number;
  readonly #groups = new Map<string, { tag: number; version: SemVer | null }[]>();
  constructor(most: number) {
    this.#most = most;
  }

  /** Tags come in the order of their pushes, the last one first. */
  take(tag: number): void {
    const list = this.#group('');
    if (list.length < this.#most) list.push({ tag, version: null });
  }

  offer(group: string, tag: number, version: SemVer): void {
    const list = this.#group(group);
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // Of equal ones the last pushed is the first.
      if (semver.compareBuild(list[middle]!.version!, version) >= 0) low = middle + 1;
      else high = middle;
    }
    if (low >= this.#most) return;
    list.splice(low, 0, { tag, version });
    if (list.length > this.#most) list.pop();
  }

  *kept(): Generator<[tag: number, place: number]> {
    for (const list of this.#groups.values()) {
      for (const [at, { tag }] of list.entries()) yield [tag, at + 1];
    }
  }

  #group(name: string): { tag: number; version: SemVer | null }[] {
    let list = this.#groups.get(name);
    if (!list) this.#groups.set(name, (list = []));
    return list;
  }
}
