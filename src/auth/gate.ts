/**
 * The one place where rights are decided, in this order: is the credential still good; what may the subject do; what does the
 * credential allow at most; what was the registry token asked for. What no rule allows is denied.
 */
import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { matchesPath, touchesRoot } from './glob.ts';
import { createGrantMemory } from './grant-memory.ts';
import { projectOf, whyNotCreatable } from './names.ts';
import type { Action, ConsideredRule, Gate, Limits, Principal, Target, Verdict } from './principal.ts';
import { roleAllows } from './roles.ts';
import { describe, obstacleOf, type Grant } from './rules.ts';

/** What the subject may do, before its credential narrows it. */
interface Right {
  readonly allowed: boolean;
  readonly reason: string;
}

type Consider = (grants: readonly Grant[]) => void;

/** @param now a clock that only goes forward, in milliseconds */
export function createGate(
  db: Database,
  config: Pick<Config, 'projectCreation'>,
  now: () => number = () => performance.now(),
): Gate {
  const memory = createGrantMemory(db, now);

  function grants(principal: Principal, project: { id: number; epoch: number }, target: Target) {
    return memory.of(principal.id, project.id, `${target.principalEpoch} ${project.epoch}`);
  }

  async function right(principal: Principal, action: Action, target: Target, consider?: Consider): Promise<Right> {
    const { project } = target;
    if (project === undefined) return withoutProject(principal, action, target, config);
    if (principal.admin) return { allowed: true, reason: 'administrator' };
    if (action === 'pull' && project.visibility === 'public') return { allowed: true, reason: 'public project' };
    if (principal.kind === 'anonymous' && action !== 'pull')
      return { allowed: false, reason: 'anonymous may only pull' };
    const rules = await grants(principal, project, target);
    consider?.(rules);
    const grant = rules.find((each) => obstacleOf(each, action, target, now()) === undefined);
    return grant ? { allowed: true, reason: describe(grant) } : { allowed: false, reason: `no grant allows ${action}` };
  }

  /** @param consider told of the grants, when they are what counts */
  async function weigh(principal: Principal, action: Action, target: Target, consider?: Consider): Promise<Verdict> {
    if (isStale(principal, target)) return stale(target);
    if (target.askedPath !== undefined && action !== 'pull') return byFormerName(principal, action, target);
    const { allowed, reason } = await right(principal, action, target, consider);
    if (!allowed) return deny(reason);
    if (!withinLimits(principal.limits, action, target.path)) return deny('beyond the limits of the token');
    if (principal.access !== undefined && !principal.access.get(target.askedPath ?? target.path)?.includes(action)) {
      return { ...deny('not in the registry token'), insufficientScope: true };
    }
    return allow(reason);
  }

  /** Nothing is written by a former name; what it is called now is told to those who may see that. */
  async function byFormerName(principal: Principal, action: Action, target: Target): Promise<Verdict> {
    const may = async (what: Action): Promise<boolean> =>
      withinLimits(principal.limits, what, target.path) && (await right(principal, what, target)).allowed;
    const knows = (await may(action)) || (await may('pull'));
    return { ...deny('a former name'), ...(knows && { moved: true }) };
  }

  const decide: Gate['decide'] = (principal, action, target) => weigh(principal, action, target);

  async function sees(principal: Principal, target: Target): Promise<Verdict> {
    if (isStale(principal, target)) return stale(target);
    const { project } = target;
    if (project === undefined) return deny('no such project');
    if (!limitsShow(principal.limits, project.name)) return deny('beyond the limits of the token');
    if (principal.admin) return allow('administrator');
    if (project.visibility === 'public') return allow('public project');
    const grant = (await grants(principal, project, target)).find((each) => each.until > now());
    return grant ? allow(describe(grant)) : deny('no grant in the project');
  }

  async function mayAnywhere(principal: Principal, action: Action, target: Target): Promise<Verdict> {
    const { project } = target;
    if (project === undefined || isStale(principal, target)) return decide(principal, action, target);
    if (target.askedPath !== undefined && action !== 'pull') return byFormerName(principal, action, target);
    if (!limitsTouch(principal.limits, action, project.name)) return deny('beyond the limits of the token');
    if (principal.access !== undefined) {
      for (const path of principal.access.keys()) {
        const verdict = projectOf(path) === project.name && (await decide(principal, action, { ...target, path }));
        if (verdict && verdict.effect !== 'deny') return verdict;
      }
      return { ...deny('not in the registry token'), insufficientScope: true };
    }
    if (principal.admin) return allow('administrator');
    if (principal.kind === 'anonymous' && action !== 'pull') return deny('anonymous may only pull');
    const holds = (grant: Grant): boolean => grant.until > now() && roleAllows(grant.role, action);
    const grant = (await grants(principal, project, target)).find(holds);
    return grant ? allow(describe(grant)) : deny(`no grant allows ${action}`);
  }

  return {
    decide,
    sees,
    mayAnywhere,
    mayMountFrom(principal, target) {
      const { access: _, ...credential } = principal;
      return decide(credential, 'pull', target);
    },
    async explain(principal, action, target) {
      const rules: ConsideredRule[] = [];
      const verdict = await weigh(principal, action, target, (considered) => {
        for (const grant of considered) {
          const obstacle = obstacleOf(grant, action, target, now());
          rules.push({ grant: grant.id, rule: describe(grant), ...(obstacle && { obstacle }) });
        }
      });
      return { verdict, rules };
    },
  };
}

/**
 * Whether something was taken from the principal since its credential was checked. Later, not different: facts that were
 * read a moment before the credential may be one change behind.
 */
export function isStale(principal: Principal, target: Pick<Target, 'principalEpoch'>): boolean {
  return principal.id !== 0 && (target.principalEpoch === 0 || target.principalEpoch > principal.epoch);
}

function withoutProject(
  principal: Principal,
  action: Action,
  target: Target,
  config: Pick<Config, 'projectCreation'>,
): Right {
  const name = projectOf(target.path);
  if (action !== 'push')
    return { allowed: principal.admin, reason: principal.admin ? 'administrator' : 'no such project' };
  const obstacle = whyNotCreatable(name);
  if (obstacle !== undefined) return { allowed: false, reason: `project cannot be created: ${obstacle}` };
  if (principal.admin) return { allowed: true, reason: 'administrator, creates the project' };
  if (principal.kind !== 'user')
    return { allowed: false, reason: 'project cannot be created: only users create projects' };
  if (config.projectCreation !== 'users') {
    return { allowed: false, reason: 'project cannot be created: only administrators create projects here' };
  }
  return { allowed: true, reason: 'user, creates the project' };
}

/** Whether a credential with these limits can pull anything at all in the project. */
export function limitsShow(limits: Limits | undefined, project: string): boolean {
  return limitsTouch(limits, 'pull', project);
}

function limitsTouch(limits: Limits | undefined, action: Action, project: string): boolean {
  if (limits === undefined) return true;
  if (!limits.actions.includes(action)) return false;
  return limits.paths === undefined || limits.paths.some((glob) => touchesRoot(glob, project));
}

function withinLimits(limits: Limits | undefined, action: Action, path: string): boolean {
  if (limits === undefined) return true;
  if (!limits.actions.includes(action)) return false;
  return limits.paths === undefined || limits.paths.some((glob) => matchesPath(glob, path));
}

function stale({ principalEpoch }: Target): Verdict {
  const reason = principalEpoch === 0 ? 'disabled, expired or gone' : 'credential is stale';
  return { ...deny(reason), stale: true };
}

function allow(reason: string): Verdict {
  return { effect: 'allow', reason, warnings: [] };
}

function deny(reason: string): Verdict {
  return { effect: 'deny', reason, warnings: [] };
}
