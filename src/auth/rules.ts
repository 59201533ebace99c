/** Grants, applied to one request. Plain data in, a verdict out. */
import { matchesPath, matchesTag } from './glob.ts';
import { withinProject } from './names.ts';
import type { Action, Target } from './principal.ts';
import { roleAllows, type Role } from './roles.ts';

/** A row of `grants` as the gate remembers it. */
export interface Grant {
  readonly id: number;
  /** Who it was given to, for reasons: `user:jane`, `everyone:everyone`. */
  readonly subject: string;
  /** Over paths inside the project; the project itself is the empty path. */
  readonly pathGlob: string;
  readonly role: Role;
  /** Limits create, overwrite and delete of tags, never reads and never bytes that no tag names yet. */
  readonly tagGlob: string | null;
  readonly createOnly: boolean;
  /** When it ends, on the clock of `performance.now()`; Infinity: never. */
  readonly until: number;
}

/** What keeps the grant from allowing the action on the target, whoever asks; undefined when nothing does. */
export function obstacleOf(grant: Grant, action: Action, target: Target, now: number): Obstacle | undefined {
  if (grant.until <= now) return 'it has expired';
  if (!roleAllows(grant.role, action)) return 'the role is not enough';
  if (!matchesPath(grant.pathGlob, withinProject(target.path))) return 'it is for other paths';
  if (action === 'pull') return undefined;
  if (grant.createOnly && (action === 'delete' || target.change === 'overwrite' || target.change === 'delete')) {
    return 'it is for creating only';
  }
  if (grant.tagGlob === null || target.tag === undefined || matchesTag(grant.tagGlob, target.tag)) return undefined;
  return 'it is for other tags';
}

export type Obstacle =
  | 'it has expired'
  | 'the role is not enough'
  | 'it is for other paths'
  | 'it is for creating only'
  | 'it is for other tags';

/** For logs and administrators: which row it was. */
export function describe(grant: Grant): string {
  const tags = grant.tagGlob === null ? '' : ` tags ${grant.tagGlob}`;
  return `grant ${grant.id}: ${grant.subject} is ${grant.role} of ${grant.pathGlob}${tags}${grant.createOnly ? ' (create only)' : ''}`;
}
