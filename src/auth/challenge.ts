/** WWW-Authenticate values (distribution token specification; RFC 6750 section 3). */

export interface Challenge {
  /** Absolute URL of the token endpoint. */
  readonly realm: string;
  readonly service: string;
  /** Space-separated, e.g. `repository:acme/web:pull,push`. */
  readonly scope?: string;
  /** Only for a request that brought a token: clients take any `error` on a first request as final. */
  readonly error?: 'insufficient_scope' | 'invalid_token';
}

/** `Bearer realm="…",service="…",scope="…"`: one challenge, in this order and without spaces, for clients that split on commas. */
export function challenge({ realm, service, scope, error }: Challenge): string {
  const parts = { realm, service, scope, error };
  const written = Object.entries(parts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${quote(value)}"`],
  );
  return `Bearer ${written.join(',')}`;
}

/** `repository:<path>:<actions>`, in the order that clients ask for. */
export function repositoryScope(path: string, actions: readonly string[]): string {
  return `repository:${path}:${actions.join(',')}`;
}

/** Nothing that comes here has quotes or control characters; were it otherwise, they must not end the string. */
function quote(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]|["\\]/g, '');
}
