/**
 * Scopes as clients ask for them (distribution token specification, "scope"): `repository:acme/web:pull,push`, several in one
 * parameter or in several, in any order, with duplicates, and with names and actions that Berth does not know.
 */

export interface Scope {
  /** Without the class in parentheses: `repository(plugin)` is a repository too. */
  readonly type: string;
  /** May hold `host:port/`. */
  readonly name: string;
  readonly actions: readonly string[];
}

/** Distinct resources in one request; docker asks for two, a mount from everywhere for a few more. */
export const MOST_SCOPES = 100;
const TYPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?$/;

/**
 * One scope for each resource, in the order of first mention; what cannot be read is left out, as an unknown right would be.
 * @returns undefined when there are more than `MOST_SCOPES`
 */
export function parseScopes(parameters: readonly string[]): Scope[] | undefined {
  const scopes = new Map<string, { type: string; name: string; actions: Set<string> }>();
  for (const text of parameters.flatMap((parameter) => parameter.split(/\s+/))) {
    const scope = parseScope(text);
    if (scope === undefined) continue;
    const key = `${scope.type}:${scope.name}`;
    const merged = scopes.get(key);
    if (merged === undefined) {
      if (scopes.size === MOST_SCOPES) return undefined;
      scopes.set(key, { type: scope.type, name: scope.name, actions: new Set(scope.actions) });
    } else {
      for (const action of scope.actions) merged.actions.add(action);
    }
  }
  return [...scopes.values()].map(({ type, name, actions }) => ({ type, name, actions: [...actions] }));
}

/** Between the first colon and the last is the name: it may have a colon of its own, before a port. */
function parseScope(text: string): Scope | undefined {
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (first <= 0 || last === first) return undefined;
  const type = TYPE.exec(text.slice(0, first))?.[1];
  const name = text.slice(first + 1, last);
  if (type === undefined || name === '') return undefined;
  const actions = text.slice(last + 1).split(',');
  return { type, name, actions: actions.filter((action) => action !== '') };
}

/** What is granted, written as clients read it. */
export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}
