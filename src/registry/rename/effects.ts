/**
 * What a rename does to rules that go by paths: which of them stop to match what is renamed, and which start. Nothing is changed
 * with the rename; whoever asks for one sees this before.
 */
import { matchesPath, touchesRoot } from '../../auth/glob.ts';
import { listGrants, type ProjectGrant } from '../../auth/grants.ts';
import { projectOf, withinProject } from '../../auth/names.ts';
import type { Queryable } from '../../db/database.ts';
import { selectLimitedTokens, selectPathRules, type PathRuleRow } from '../queries/rename-effects.ts';

export type Change = 'stops' | 'starts';

export interface RenameEffects {
  /** Of either project. Grants go by paths inside theirs, so a project's new name changes none. */
  readonly grants: readonly { readonly grant: ProjectGrant; readonly project: string; readonly change: Change }[];
  /** Rules on immutable tags and on retention, and webhooks, of either project. */
  readonly rules: readonly (PathRuleRow & { readonly project: string; readonly change: Change })[];
  /** There are more grants than fit here. */
  readonly more: boolean;
  /** Limits of the caller's own tokens. */
  readonly tokens: readonly { readonly id: number; readonly name: string; readonly change: Change }[];
  /** How many tokens of other people; whose, is theirs to know. */
  readonly othersTokens: Readonly<Record<Change, number>>;
}

/** A place before and after: a repository's path, or a project's name for all that is in it. */
export interface Renaming {
  readonly before: { readonly projectId: number; readonly path: string };
  readonly after: { readonly projectId: number; readonly path: string };
}

const MOST_GRANTS = 1_000;
const MOST_RULES = 1_000;
const BATCH = 500;

/** @param callerId whose tokens may be named */
export async function effectsOf(db: Queryable, renaming: Renaming, callerId: number): Promise<RenameEffects> {
  const { grants, more } = await changedGrants(db, renaming);
  return { grants, more, rules: await changedRules(db, renaming), ...(await changedTokens(db, renaming, callerId)) };
}

/** What the globs of one of a project's rules do. */
function changeInside(id: number, globs: readonly string[], { before, after }: Renaming): Change | undefined {
  const covers = ({ projectId, path }: Renaming['before']): boolean =>
    projectId === id && globs.some((glob) => matchesPath(glob, withinProject(path)));
  return changeOf(covers(before), covers(after));
}

/** The one, or the two, projects that paths are inside of. */
function projectsOf({ before, after }: Renaming): Map<number, string> {
  return new Map([after, before].map(({ projectId, path }) => [projectId, projectOf(path)]));
}

async function changedRules(db: Queryable, renaming: Renaming): Promise<RenameEffects['rules']> {
  if (!renaming.before.path.includes('/')) return [];
  const found: RenameEffects['rules'][number][] = [];
  for (const [id, project] of projectsOf(renaming)) {
    for (const rule of await selectPathRules(db, id, MOST_RULES)) {
      const change = changeInside(id, rule.paths, renaming);
      if (change !== undefined) found.push({ ...rule, project, change });
    }
  }
  return found;
}

async function changedGrants(db: Queryable, renaming: Renaming): Promise<Pick<RenameEffects, 'grants' | 'more'>> {
  if (!renaming.before.path.includes('/')) return { grants: [], more: false };
  const found: RenameEffects['grants'][number][] = [];
  for (const [id, project] of projectsOf(renaming)) {
    for (let last = 0; ;) {
      const grants = await listGrants(db, id, { after: last, limit: BATCH });
      for (const grant of grants) {
        const change = changeInside(id, [grant.pathGlob], renaming);
        if (change === undefined || (grant.expiresAt !== null && grant.expiresAt.getTime() <= Date.now())) continue;
        if (found.length === MOST_GRANTS) return { grants: found, more: true };
        found.push({ grant, project, change });
      }
      if (grants.length < BATCH) break;
      last = grants.at(-1)?.id ?? last;
    }
  }
  return { grants: found, more: false };
}

async function changedTokens(
  db: Queryable,
  { before, after }: Renaming,
  callerId: number,
): Promise<Pick<RenameEffects, 'tokens' | 'othersTokens'>> {
  const tokens: RenameEffects['tokens'][number][] = [];
  const othersTokens = { stops: 0, starts: 0 };
  for (let last = 0; ;) {
    const rows = await selectLimitedTokens(db, last, BATCH);
    for (const { id, name, owner, paths } of rows) {
      const covers = ({ path }: Renaming['before']): boolean =>
        paths.some((glob) => (path.includes('/') ? matchesPath(glob, path) : touchesRoot(glob, path)));
      const change = changeOf(covers(before), covers(after));
      if (change === undefined) continue;
      if (owner === callerId) tokens.push({ id, name, change });
      else othersTokens[change]++;
    }
    if (rows.length < BATCH) return { tokens, othersTokens };
    last = rows.at(-1)?.id ?? last;
  }
}

function changeOf(before: boolean, after: boolean): Change | undefined {
  if (before === after) return undefined;
  return before ? 'stops' : 'starts';
}
