/**
 * What retention has to come to, said a second time, the other way round: every manifest asks who needs it, until nothing
 * changes. Shares no code with the hub; slow on purpose.
 */
import semver from 'semver';
import type { Rule } from '../../src/registry/retention/rule.ts';
import { sizeOf, type World, type Written } from './graphs.ts';

export interface Outcome {
  readonly tags: ReadonlySet<string>;
  readonly manifests: ReadonlySet<string>;
  readonly bytes: number;
}

/** Names of tags and digests of manifests that go. */
export function expected({ nodes, rules }: World, { digests, tags }: Written): Outcome {
  const all = nodes.map((_, i) => i);
  const subjectOfTag = (tag: string): number | undefined | 'none' => {
    const hex = /^sha256-([0-9a-f]{64})/.exec(tag)?.[1];
    if (hex === undefined) return undefined;
    const at = digests.indexOf(`sha256:${hex}`);
    return at >= 0 && at < nodes.length ? at : 'none';
  };
  const ordinary = [...tags].filter(([tag]) => subjectOfTag(tag) === undefined);
  const lastPull = (i: number): number =>
    Math.min(nodes[i]!.pulled ?? Infinity, ...nodes[i]!.children.map((child) => lastPull(child)));

  const covering = rules.map((rule) => ordinary.filter(([tag, i]) => covers(rule, tag, nodes[i]!.kind)));
  const kept = new Set(rules.flatMap((rule, r) => keptBy(rule, covering[r]!)));
  const hard = (i: number): boolean => nodes[i]!.held || nodes[i]!.leased;
  const condemned = new Set(
    covering
      .flat()
      .filter(([tag, i]) => !kept.has(tag) && !hard(i))
      .map(([tag]) => tag),
  );

  const hasTag = new Set([...tags.values()]);
  const overdue = (i: number): boolean => {
    const about = rules.filter(
      ({ untagged_days: days, kinds }) => days !== undefined && (kinds?.includes(nodes[i]!.kind) ?? true),
    );
    const idle = Math.min(nodes[i]!.pushed, lastPull(i)) + 0.5;
    return !hasTag.has(i) && about.length > 0 && about.every(({ untagged_days: days }) => idle > days!);
  };
  const followers = [...tags].flatMap(([tag, at]) => {
    const of = subjectOfTag(tag);
    return typeof of === 'number' ? [{ tag, at, of }] : [];
  });
  /** Who says that `i` has to be there, or is what it is about. */
  const askers = all.map((i) => [
    ...all.filter((p) => nodes[p]!.children.includes(i)),
    ...(nodes[i]!.subject === undefined ? [] : [nodes[i]!.subject]),
    ...followers.filter(({ at }) => at === i).map(({ of }) => of),
  ]);
  const grow = (start: readonly number[]): Set<number> => {
    const set = new Set(start);
    for (let before = -1; before !== set.size;) {
      before = set.size;
      for (const i of all) if (askers[i]!.some((asker) => set.has(asker))) set.add(i);
    }
    return set;
  };
  const touched = grow(all.filter((i) => overdue(i) || [...tags].some(([tag, at]) => at === i && condemned.has(tag))));
  const anchored = (i: number): boolean =>
    hard(i) || [...tags].some(([tag, at]) => at === i && !condemned.has(tag) && typeof subjectOfTag(tag) !== 'number');
  const stays = grow(all.filter((i) => !touched.has(i) || anchored(i)));
  const gone = all.filter((i) => !stays.has(i));
  const goneSet = new Set(gone);
  for (const { tag, at, of } of followers) if (goneSet.has(of) && !hard(at)) condemned.add(tag);

  const needed = new Set([...stays].flatMap((i) => nodes[i]!.blobs));
  const freed = new Set(gone.flatMap((i) => nodes[i]!.blobs).filter((blob) => !needed.has(blob)));
  return {
    tags: condemned,
    manifests: new Set(gone.map((i) => digests[i]!)),
    bytes: [...freed].reduce((sum, blob) => sum + sizeOf(blob), 0),
  };

  function keptBy(rule: Rule, covered: [string, number][]): string[] {
    const within = (days: number | undefined, age: number): boolean => days !== undefined && age + 0.5 <= days;
    const names = covered
      .filter(
        ([tag, i]) =>
          within(rule.keep_pushed_days, nodes[i]!.pushed) ||
          within(rule.keep_pulled_days, Math.min(nodes[i]!.pushed, lastPull(i))) ||
          (rule.keep_semver ?? []).some((range) => semver.satisfies(plain(tag)!, range, { includePrerelease: true })),
      )
      .map(([tag]) => tag);
    if (rule.keep_latest === undefined) return names;
    const order = [...tags.keys()];
    // The first written was pushed last, of those of one hour.
    const byPush = (a: [string, number], b: [string, number]): number =>
      nodes[a[1]]!.pushed - nodes[b[1]]!.pushed || order.indexOf(a[0]) - order.indexOf(b[0]);
    const byVersion = (a: [string, number], b: [string, number]): number =>
      semver.rcompare(plain(a[0])!, plain(b[0])!) || byPush(a, b);
    const groups = Map.groupBy(covered.toSorted(rule.by === 'version' ? byVersion : byPush), ([tag]) =>
      groupOf(rule, tag),
    );
    for (const group of groups.values()) names.push(...group.slice(0, rule.keep_latest).map(([tag]) => tag));
    return names;
  }
}

function covers(rule: Rule, tag: string, kind: World['nodes'][number]['kind']): boolean {
  const keeps = [rule.keep_latest, rule.keep_semver, rule.keep_pushed_days, rule.keep_pulled_days];
  if (keeps.every((each) => each === undefined)) return false;
  if ((rule.by === 'version' || rule.keep_semver) && plain(tag) === undefined) return false;
  const like = (glob: string): boolean =>
    new RegExp(`^${glob.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`).test(tag);
  return (rule.kinds?.includes(kind) ?? true) && (rule.tags ?? ['*']).some(like) && !(rule.except ?? []).some(like);
}

function plain(tag: string): string | undefined {
  return /^v?\d+\.\d+\.\d+(-rc\.\d+)?$/.test(tag) ? tag.replace('v', '') : undefined;
}

function groupOf({ by, per }: Rule, tag: string): string {
  if (by !== 'version' || per === undefined || per === 'repository') return '';
  return plain(tag)!
    .split('.')
    .slice(0, per === 'major' ? 1 : 2)
    .join('.');
}
