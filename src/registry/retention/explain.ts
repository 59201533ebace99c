/** Each decision as a sentence, for the person who reads a preview or a report. */
import { digestFromBytes } from '../../blobs/digest.ts';
import type { Graph } from './graph.ts';
import * as manifests from './judge-manifests.ts';
import { IN_RANGE, LATEST, PULLED, PUSHED, idleSince } from './judge-tags.ts';
import type { Plan } from './plan.ts';
import * as fate from './plan-shapes.ts';
import type { ReadyRule } from './rules.ts';

/** Digests of the manifests that a sentence may name, by id. */
export type Digests = ReadonlyMap<number, Buffer>;

const DAY = 86_400;

export function explainTag(plan: Plan, tag: number, digests: Digests): string {
  const { graph } = plan;
  const manifest = graph.tags.manifest[tag]!;
  const subject = graph.tags.subject[tag]!;
  switch (plan.fates[tag]!) {
    case fate.KEPT:
      return `kept because ${keeping(plan, tag)}`;
    case fate.IMMUTABLE:
      return `kept because it is immutable (${plan.immutable(graph.tags.names[tag]!)})`;
    case fate.HELD:
      return `kept because ${holding(graph, manifest)}`;
    case fate.LEASED:
      return 'kept because it was pushed a moment ago and its lease still runs';
    case fate.NO_SUBJECT:
      return 'kept because it stands for a digest that is not in this repository, which no rule judges';
    case fate.FOLLOWS:
      return `kept because its subject ${nameOf(graph, subject, digests)} is kept`;
    case fate.CONDEMNED:
      return subject >= 0
        ? `deleted because its subject ${nameOf(graph, subject, digests)} is deleted`
        : `deleted because ${letting(plan, tag)}`;
    default:
      return 'kept because no rule covers it';
  }
}

export function explainManifest(plan: Plan, i: number, digests: Digests): string {
  const { graph, manifests: verdicts } = plan;
  const other = verdicts.via[i]! < 0 ? '' : nameOf(graph, verdicts.via[i]!, digests);
  const tie = manifests.tie(verdicts.viaWhy[i]!);
  switch (verdicts.why[i]!) {
    case manifests.KEPT_BY_TAG:
      return 'kept because a tag of it is kept';
    case manifests.KEPT_BY_HOLD:
      return `kept because ${holding(graph, i)}`;
    case manifests.KEPT_BY_LEASE:
      return 'kept because it was pushed a moment ago and its lease still runs';
    case manifests.KEPT_BY_OTHER:
      if (tie === 'child') return `kept because it is a child of ${other}`;
      return tie === 'referrer' ? `kept because it refers to ${other}` : `kept because a tag ties it to ${other}`;
    case manifests.GONE_WITH_TAG:
      return 'deleted because its tags are, and nothing that is kept needs it';
    case manifests.GONE_UNTAGGED:
      return `deleted because ${overdue(plan, i)}`;
    case manifests.GONE_WITH_OTHER:
      if (tie === 'child') return `deleted because it is a child of ${other}, which goes, and of nothing that is kept`;
      return tie === 'referrer'
        ? `deleted because it refers to ${other}, which goes`
        : `deleted because a tag ties it to ${other}, which goes`;
    default:
      return graph.holds.has(i) ? `kept because ${holding(graph, i)}` : 'kept because no rule touches it';
  }
}

/** Other manifests whose digests the sentences about these need. */
export function namedBy(plan: Plan, tags: readonly number[], list: readonly number[]): number[] {
  const { graph, manifests: verdicts } = plan;
  const places = [
    ...tags.flatMap((tag) => [graph.tags.manifest[tag]!, graph.tags.subject[tag]!]),
    ...list.flatMap((i) => [i, verdicts.via[i]!]),
  ];
  return [...new Set(places.filter((place) => place >= 0).map((place) => graph.manifests.ids[place]!))];
}

function keeping(plan: Plan, tag: number): string {
  const { how, keptBy, rank } = plan.tagVerdicts;
  const { rule, number } = plan.rules[keptBy[tag]!]!;
  const who = `rule ${number} keeps`;
  switch (how[tag]!) {
    case LATEST: {
      const per = rule.per === undefined || rule.per === 'repository' ? '' : ` of each ${rule.per} version`;
      return `${who} the ${rule.keep_latest} ${latest(rule.by)}${per} (${ordinal(rank[tag]!)})`;
    }
    case IN_RANGE:
      return `${who} versions in ${rule.keep_semver!.join(' or ')}`;
    case PUSHED:
      return `${who} what was pushed in the last ${days(rule.keep_pushed_days!)} (${ago(plan, plan.graph.tags.pushed[tag]!)})`;
    case PULLED:
      return `${who} what was pulled in the last ${days(rule.keep_pulled_days!)} (${lastUse(plan, tag)})`;
    default:
      return `${who} it`;
  }
}

function letting(plan: Plan, tag: number): string {
  const covering = plan.rules.filter((_, i) => (plan.tagVerdicts.covered[tag]! & (1 << i)) !== 0);
  const said = covering.map(
    (ready) => `rule ${ready.number} covers it and does not keep it: ${failing(plan, ready, tag)}`,
  );
  return said.join('; ');
}

/** Everything that would have kept it, and did not. */
function failing(plan: Plan, { rule }: ReadyRule, tag: number): string {
  const reasons: string[] = [];
  if (rule.keep_latest !== undefined) {
    const per = rule.per === undefined || rule.per === 'repository' ? '' : ` of its ${rule.per} version`;
    reasons.push(
      rule.keep_latest === 0 ? 'it keeps none' : `not among the ${rule.keep_latest} ${latest(rule.by)}${per}`,
    );
  }
  if (rule.keep_semver) reasons.push(`not in ${rule.keep_semver.join(' or ')}`);
  if (rule.keep_pushed_days !== undefined) {
    reasons.push(`pushed ${ago(plan, plan.graph.tags.pushed[tag]!)}, more than ${days(rule.keep_pushed_days)}`);
  }
  if (rule.keep_pulled_days !== undefined) {
    reasons.push(`${lastUse(plan, tag)}, more than ${days(rule.keep_pulled_days)}`);
  }
  return reasons.join(', ');
}

function lastUse(plan: Plan, tag: number): string {
  const { graph, trackedSince } = plan;
  const at = idleSince(graph, tag, trackedSince);
  const words = ago(plan, at);
  if (at === graph.tags.pushed[tag]) return `not pulled since its push ${words}`;
  return at === trackedSince ? `no pull since they are counted, ${words}` : `last pull ${words}`;
}

function overdue(plan: Plan, i: number): string {
  const rules = plan.rules.filter(
    ({ rule, coversKind }) => rule.untagged_days !== undefined && coversKind(plan.graph.manifests.kind[i]!),
  );
  const longest = Math.max(...rules.map(({ rule }) => rule.untagged_days!));
  const numbers = rules.map(({ number }) => number).join(' and ');
  return `it has no tag since ${ago(plan, plan.graph.manifests.since[i]!)}, and rule ${numbers} clears such after ${days(longest)} without a pull`;
}

function holding(graph: Graph, i: number): string {
  const hold = graph.holds.get(i)!;
  const until = hold.until === null ? '' : ` until ${hold.until}`;
  return `${hold.owner_kind} ${hold.owner_id} holds it${until} (${hold.reason})`;
}

/** `sha256:… (tag 1.2.3)`. */
function nameOf(graph: Graph, i: number, digests: Digests): string {
  const digest = digests.get(graph.manifests.ids[i]!);
  const tag = firstTags(graph).get(i);
  return `${digest ? digestFromBytes(digest) : 'a manifest'}${tag === undefined ? '' : ` (tag ${tag})`}`;
}

const tagsOf = new WeakMap<Graph, Map<number, string>>();

function firstTags(graph: Graph): Map<number, string> {
  let map = tagsOf.get(graph);
  if (!map) {
    map = new Map();
    for (const [tag, manifest] of graph.tags.manifest.entries()) {
      if (!map.has(manifest)) map.set(manifest, graph.tags.names[tag]!);
    }
    tagsOf.set(graph, map);
  }
  return map;
}

function latest(by: 'push' | 'version' = 'push'): string {
  return by === 'push' ? 'latest' : 'highest versions';
}

function ago({ graph }: Plan, then: number): string {
  const passed = Math.max(0, graph.at - then);
  const whole = Math.floor(passed / DAY);
  return whole === 0 ? 'today' : `${days(whole)} ago`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

function ordinal(n: number): string {
  const rest = n % 100;
  if (rest >= 11 && rest <= 13) return `${n}th`;
  return `${n}${['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'}`;
}
