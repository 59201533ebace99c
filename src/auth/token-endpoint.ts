/** Exchanges credentials for a registry token: the intersection of what was asked for and what the caller may do. */
import { InvalidCredentials } from './errors.ts';
import { isStale } from './gate.ts';
import type { Identified } from './identify.ts';
import { isRepositoryPath } from './names.ts';
import { serviceOf } from './origins.ts';
import type { Action, Facts, Gate, Principal, Target } from './principal.ts';
import type { AccessEntry, IssuedToken, RegistryTokens } from './registry-tokens.ts';
import { parseScopes, MOST_SCOPES, type Scope } from './scopes.ts';

export interface TokenEndpoint {
  /**
   * @param scopes values of the parameter `scope`, as they came
   * @param origin the public URL that the request chose
   * @throws {InvalidCredentials} when the credential is stale, or is a registry token itself: those are not renewed
   * @throws {TooManyScopes}
   */
  exchange(who: Identified<Target>, scopes: readonly string[], origin: string): Promise<Exchanged>;
}

export interface Exchanged extends IssuedToken {
  readonly access: readonly AccessEntry[];
}

export class TooManyScopes extends Error {
  override readonly name = 'TooManyScopes';
  constructor() {
    super(`Ask for at most ${MOST_SCOPES} repositories at once.`);
  }
}

/** What registries let clients ask for; managing a project is not done with registry tokens. */
const ASKABLE = ['pull', 'push', 'delete'] as const satisfies readonly Action[];

export function createTokenEndpoint(
  parts: { readonly gate: Gate; readonly facts: Facts; readonly tokens: RegistryTokens },
  origins: readonly string[],
): TokenEndpoint {
  const { gate, facts, tokens } = parts;
  const services = new Set(origins.map(serviceOf));

  async function grant(principal: Principal, { type, name, actions }: Scope): Promise<AccessEntry | undefined> {
    if (type === 'registry') {
      return name === 'catalog' && mayList(principal) ? { type, name, actions: ['*'] } : undefined;
    }
    const path = withoutHost(name, services);
    if (type !== 'repository' || !isRepositoryPath(path)) return undefined;
    const wanted = ASKABLE.filter((action) => actions.includes(action) || actions.includes('*'));
    if (wanted.length === 0) return undefined;
    const target = await facts(path, principal.id);
    const verdicts = await Promise.all(wanted.map((action) => gate.decide(principal, action, target)));
    if (verdicts.some((verdict) => verdict.stale)) throw new InvalidCredentials();
    const allowed = (action: Action): boolean =>
      verdicts.some((verdict, i) => wanted[i] === action && verdict.effect !== 'deny');
    // Docker pushes the layers of a first image side by side: the first one makes the project, and the same token must
    // then be good for reading what its owner owns by now.
    const makes = target.project === undefined && allowed('push') && mayList(principal);
    const granted = wanted.filter((action) => allowed(action) || (action === 'pull' && makes));
    return granted.length === 0 ? undefined : { type, name: path, actions: granted };
  }

  return {
    async exchange({ principal, facts: target }, parameters, origin) {
      if (principal.credential === 'registry_token') throw new InvalidCredentials();
      if (isStale(principal, target)) throw new InvalidCredentials();
      const scopes = parseScopes(parameters);
      if (scopes === undefined) throw new TooManyScopes();
      const entries = await Promise.all(scopes.map((scope) => grant(principal, scope)));
      const access = entries.filter((entry) => entry !== undefined);
      return { ...(await tokens.issue(principal, access, origin)), access };
    },
  };
}

/** The list is filtered by what each caller may pull, so anyone may ask for it whose credential can pull at all. */
function mayList({ limits }: Principal): boolean {
  return limits === undefined || limits.actions.includes('pull');
}

/** The specification lets the name begin with a host; ours is dropped, another one makes the name none of ours. */
function withoutHost(name: string, services: ReadonlySet<string>): string {
  const slash = name.indexOf('/');
  return slash > 0 && services.has(name.slice(0, slash)) ? name.slice(slash + 1) : name;
}
