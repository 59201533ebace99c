/** Rules made ready for use: checked, and with their globs and ranges read. */
import semver from 'semver';
import { isPathGlob, isTagGlob, matchesPath, matchesTag } from '../../auth/glob.ts';
import { withinProject } from '../../auth/names.ts';
import type { Kind } from '../kinds.ts';
import { RetentionError } from './errors.ts';
import { MOST_RULES, type Rule } from './rule.ts';

export interface ReadyRule {
  readonly rule: Rule;
  /** As people count: from 1. */
  readonly number: number;
  /** Whether it says anything about tags. */
  readonly forTags: boolean;
  /** It keeps by version, and so says nothing about tags that are none. */
  readonly byVersion: boolean;
  readonly ranges: readonly semver.Range[];
  coversPath(path: string): boolean;
  coversTag(name: string): boolean;
  coversKind(kind: Kind): boolean;
}

/** @throws {RetentionError} policy-invalid, with the sentence that says which rule and why */
export function readyRules(rules: readonly Rule[]): ReadyRule[] {
  if (rules.length > MOST_RULES) throw invalid(`A policy has at most ${MOST_RULES} rules`);
  return rules.map((rule, at) => ready(rule, at + 1));
}

function ready(rule: Rule, number: number): ReadyRule {
  const { paths = ['**'], tags = ['*'], except = [], kinds, keep_semver: semvers } = rule;
  for (const glob of paths) {
    if (!isPathGlob(glob)) throw invalid(`Rule ${number}: ${JSON.stringify(glob)} is not a path glob, such as web/**`);
  }
  for (const glob of [...tags, ...except]) {
    if (!isTagGlob(glob)) throw invalid(`Rule ${number}: ${JSON.stringify(glob)} is not a tag glob, such as pr-*`);
  }
  const forTags =
    rule.keep_latest !== undefined ||
    semvers !== undefined ||
    rule.keep_pushed_days !== undefined ||
    rule.keep_pulled_days !== undefined;
  if (!forTags && rule.untagged_days === undefined) {
    throw invalid(`Rule ${number} does not say what it keeps; keep_latest: 0 keeps none of what it covers`);
  }
  if (rule.keep_latest === undefined && (rule.by !== undefined || rule.per !== undefined)) {
    throw invalid(`Rule ${number}: by and per say how keep_latest counts, which is missing`);
  }
  if (rule.per !== undefined && rule.per !== 'repository' && rule.by !== 'version') {
    throw invalid(`Rule ${number}: per ${rule.per} needs by version`);
  }
  return {
    rule,
    number,
    forTags,
    byVersion: rule.by === 'version' || semvers !== undefined,
    ranges: (semvers ?? []).map((text) => range(text, number)),
    coversPath: (path) => paths.some((glob) => matchesPath(glob, withinProject(path))),
    coversTag: (name) => tags.some((glob) => matchesTag(glob, name)) && !except.some((glob) => matchesTag(glob, name)),
    coversKind: (kind) => kinds === undefined || kinds.includes(kind),
  };
}

function range(text: string, number: number): semver.Range {
  try {
    // What might be meant is kept: 1.3.0-rc.1 is in ^1.2.
    return new semver.Range(text, { includePrerelease: true });
  } catch {
    throw invalid(`Rule ${number}: ${JSON.stringify(text)} is not a range of semantic versions, such as ^1.2`);
  }
}

function invalid(sentence: string): RetentionError {
  return new RetentionError('policy-invalid', `${sentence}.`);
}

/** `1.2.3_b4` is the tag of `1.2.3+b4`; `v1.2.3` is a version too. */
export function versionOf(tag: string): semver.SemVer | null {
  const first = tag.charCodeAt(tag.startsWith('v') ? 1 : 0);
  return first >= 48 && first <= 57 ? semver.parse(tag.replace('_', '+')) : null;
}
