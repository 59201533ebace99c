/**
 * Which manifests go with the tags that go. What may go is what the doomed need and what refers to them; of that, whatever is
 * reached from something that is kept stays. Everything else in the repository is kept as it is.
 */
import { BY_TAG, type Graph } from './graph.ts';
import type { Pause } from './pause.ts';
import { CONDEMNED, FOLLOWS, type TagFate } from './plan-shapes.ts';
import type { ReadyRule } from './rules.ts';

/** Why a manifest is kept or goes. */
export const NOT_TOUCHED = 0;
export const KEPT_BY_TAG = 1;
export const KEPT_BY_HOLD = 2;
export const KEPT_BY_LEASE = 3;
/** Something kept needs it; see `via`. */
export const KEPT_BY_OTHER = 4;
export const GONE_WITH_TAG = 5;
export const GONE_UNTAGGED = 6;
/** Something that goes is all that needs it, or what it refers to; see `via`. */
export const GONE_WITH_OTHER = 7;

export interface ManifestVerdicts {
  readonly why: Uint8Array;
  /** Who: the place of the manifest that it is kept for, or goes with. */
  readonly via: Int32Array;
  readonly viaWhy: Uint8Array;
}

export const goes = (why: number): boolean => why >= GONE_WITH_TAG;

const DAY = 86_400;

/** Changes `fates` of tags that follow a subject, once it is known whether that goes. */
export async function judgeManifests(
  graph: Graph,
  fates: Uint8Array,
  rules: readonly ReadyRule[],
  pause: Pause,
): Promise<ManifestVerdicts> {
  const { tags, manifests, holds, edges } = graph;
  const count = manifests.ids.length;
  const why = new Uint8Array(count);
  const via = new Int32Array(count).fill(-1);
  const viaWhy = new Uint8Array(count);
  const tagged = new Uint8Array(count);
  const keptTag = new Uint8Array(count);
  const stack: number[] = [];
  for (let tag = 0; tag < tags.names.length; tag++) {
    const manifest = tags.manifest[tag]!;
    if (manifest < 0) continue;
    tagged[manifest] = 1;
    const fate = fates[tag] as TagFate;
    if (fate === CONDEMNED && why[manifest] === NOT_TOUCHED) {
      why[manifest] = GONE_WITH_TAG;
      stack.push(manifest);
    } else if (fate !== CONDEMNED && fate !== FOLLOWS) keptTag[manifest] = 1;
  }
  await pause();
  for (let i = 0; i < count; i++) {
    if (tagged[i] === 1 || !isOverdue(graph, i, rules)) continue;
    why[i] = GONE_UNTAGGED;
    stack.push(i);
  }
  await spread(stack, (target) => why[target] === NOT_TOUCHED, GONE_WITH_OTHER);
  // From here on, what is doomed and reached from something kept is taken back.
  for (let i = 0; i < count; i++) {
    if (i % 4_096 === 0) await pause();
    if (why[i] !== NOT_TOUCHED) {
      const kept =
        keptTag[i] === 1 ? KEPT_BY_TAG : holds.has(i) ? KEPT_BY_HOLD : manifests.leased[i] ? KEPT_BY_LEASE : 0;
      if (kept === 0) continue;
      why[i] = kept;
      via[i] = -1;
    }
    stack.push(i);
  }
  await spread(stack, (target) => goes(why[target]!), KEPT_BY_OTHER);
  for (let tag = 0; tag < tags.names.length; tag++) {
    if (fates[tag] === FOLLOWS && goes(why[tags.subject[tag]!]!)) fates[tag] = CONDEMNED;
  }
  return { why, via, viaWhy };

  /** Marks what is reached over edges, as far as `takes` says. */
  async function spread(from: number[], takes: (target: number) => boolean, mark: number): Promise<void> {
    for (let steps = 0; from.length > 0; steps++) {
      if (steps % 1_024 === 0) await pause();
      const i = from.pop()!;
      for (let e = edges.start[i]!; e < edges.start[i + 1]!; e++) {
        const target = edges.target[e]!;
        if (!takes(target)) continue;
        why[target] = mark;
        via[target] = i;
        viaWhy[target] = edges.why[e]!;
        from.push(target);
      }
    }
  }
}

/** Whether rules cover a manifest without a tag, and all that do have waited long enough. */
function isOverdue({ manifests, at }: Graph, i: number, rules: readonly ReadyRule[]): boolean {
  const pulled = manifests.pulled[i]!;
  const since = Math.max(manifests.since[i]!, Number.isNaN(pulled) ? -Infinity : pulled);
  let covered = false;
  for (const ready of rules) {
    const days = ready.rule.untagged_days;
    if (days === undefined || !ready.coversKind(manifests.kind[i]!)) continue;
    if (at - since <= days * DAY) return false;
    covered = true;
  }
  return covered;
}

/** How one manifest is tied to the other, for sentences. */
export function tie(viaWhy: number): 'child' | 'referrer' | 'signature' {
  return viaWhy === BY_TAG ? 'signature' : viaWhy === 1 ? 'child' : 'referrer';
}
