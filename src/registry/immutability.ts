/**
 * Tags that never move. Which ones is said by rules of the project; whether a move is one of those is decided in the
 * transaction that would make it, while no rule can come or go (`guardTags`).
 */
import { matchesPath, matchesTag } from '../auth/glob.ts';
import { withinProject } from '../auth/names.ts';
import { digestFromBytes, type Digest } from '../blobs/digest.ts';
import type { Transaction } from '../db/database.ts';
import { guardTags, selectLastDigest, selectRulesOfRepository } from './queries/immutability.ts';
import { Refusal } from './refusal.ts';

export interface ImmutabilityRule {
  readonly id: number;
  /** Over paths inside the project. */
  readonly pathGlob: string;
  readonly tagGlob: string;
  /** Tags that move all the same. */
  readonly tagExcept: string | null;
}

/**
 * Tags that stand for what refers to a digest: cosign's (`sha256-<hex>.sig`), which grow with every signature, and the
 * specification's fallback for clients without the referrers API (`sha256-<hex>`).
 */
const REFERRERS = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/;

/** @returns which rule keeps a tag of the repository with that whole path from moving, if one does */
export function immutabilityOf(
  rules: readonly ImmutabilityRule[],
): (path: string, tag: string) => ImmutabilityRule | undefined {
  return (path, tag) => {
    if (rules.length === 0 || REFERRERS.test(tag)) return undefined;
    const within = withinProject(path);
    return rules.find(
      ({ pathGlob, tagGlob, tagExcept }) =>
        matchesTag(tagGlob, tag) &&
        matchesPath(pathGlob, within) &&
        !(tagExcept !== null && matchesTag(tagExcept, tag)),
    );
  };
}

/** The rule that keeps the tag where it is, if there is one; it holds until the transaction ends. */
export async function immutableBy(
  tx: Transaction,
  repositoryId: number,
  tag: string,
): Promise<ImmutabilityRule | undefined> {
  if (!(await guardTags(tx, repositoryId))) return undefined;
  const rules = await selectRulesOfRepository(tx, repositoryId);
  return rules[0] && immutabilityOf(rules)(rules[0].path, tag);
}

/** @throws {Refusal} TAG_IMMUTABLE when the tag, which is there, may not point elsewhere */
export async function refuseMove(tx: Transaction, repositoryId: number, tag: string): Promise<void> {
  const rule = await immutableBy(tx, repositoryId, tag);
  if (rule) throw immutable(tag, rule, 'it cannot point at anything else; push under another tag');
}

/**
 * A tag that is deleted may come back, but only as what it was.
 * @throws {Refusal} TAG_IMMUTABLE
 */
export async function refuseReturn(tx: Transaction, repositoryId: number, tag: string, digest: Buffer): Promise<void> {
  const rule = await immutableBy(tx, repositoryId, tag);
  const last = rule && (await selectLastDigest(tx, repositoryId, tag));
  if (!last || last.equals(digest)) return;
  const was: Digest = digestFromBytes(last);
  throw immutable(tag, rule, `deleted, it may only return as ${was}; push under another tag, or restore it`);
}

function immutable(tag: string, rule: ImmutabilityRule, so: string): Refusal {
  return new Refusal('TAG_IMMUTABLE', `The tag ${tag} is immutable (${described(rule)}): ${so}`, {
    tag,
    rule: String(rule.id),
  });
}

/** For sentences: which rule it is, as people wrote it. */
export function described({ id, pathGlob, tagGlob, tagExcept }: ImmutabilityRule): string {
  return `rule ${id}: tags ${tagGlob}${tagExcept === null ? '' : ` except ${tagExcept}`} in ${pathGlob}`;
}
