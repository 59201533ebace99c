/** A rule of what a project keeps, in the shape of the API. */
import type { Kind } from '../kinds.ts';

export interface Rule {
  /** Globs over paths inside the project; all when missing. */
  readonly paths?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  readonly kinds?: readonly Kind[] | undefined;
  readonly keep_latest?: number | undefined;
  /** What latest means: moved last, or the highest version. */
  readonly by?: 'push' | 'version' | undefined;
  /** What the number is for: the repository, or each major or minor version in it. */
  readonly per?: 'repository' | 'major' | 'minor' | undefined;
  readonly keep_semver?: readonly string[] | undefined;
  readonly keep_pushed_days?: number | undefined;
  readonly keep_pulled_days?: number | undefined;
  /** Clears manifests that have had no tag, and no pull, for longer. */
  readonly untagged_days?: number | undefined;
}

/** A set of covering rules is a bit mask, so there is an end to them. */
export const MOST_RULES = 20;
