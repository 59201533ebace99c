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

/** Whether the grant allows the action on the target, whoever asks. */
export function grantAllows(grant: Grant, action: Action, target: Target, now: number): boolean {
  if (grant.until <= now || !roleAllows(grant.role, action)) return false;
  if (!matchesPath(grant.pathGlob, withinProject(target.path))) return false;
  if (action === 'pull') return true;
  if (grant.createOnly && (action === 'delete' || target.change === 'overwrite' || target.change === 'delete'))
    return false;
  return grant.tagGlob === null || target.tag === undefined || matchesTag(grant.tagGlob, target.tag);
}

/** For logs and administrators: which row it was. */
export function describe(grant: Grant): string {
  const tags = grant.tagGlob === null ? '' : ` tags ${grant.tagGlob}`;
  return `grant ${grant.id}: ${grant.subject} is ${grant.role} of ${grant.pathGlob}${tags}${grant.createOnly ? ' (create only)' : ''}`;
}
