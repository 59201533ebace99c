/** The token flow as docker, containerd and skopeo do it: read the challenge, fetch a token for a scope, send it. */
import { send, type Answer } from './oci-client-http.ts';

export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Reads one WWW-Authenticate value that holds one challenge (RFC 9110 section 11.6.1). */
export function parseChallenge(header: string): Challenge {
  const match = /^([A-Za-z]+)(?: +(.*))?$/s.exec(header.trim());
  if (!match) throw new Error(`not a challenge: ${header}`);
  const parameters: Record<string, string> = {};
  let rest = (match[2] ?? '').trim();
  while (rest !== '') {
    const pair = /^([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))(?:\s*,\s*|$)/.exec(rest);
    if (!pair) throw new Error(`cannot read the challenge from here: ${rest}`);
    const name = pair[1] as string;
    if (name in parameters) throw new Error(`the challenge has two ${name}`);
    parameters[name] = pair[2]?.replace(/\\(.)/g, '$1') ?? (pair[3] as string);
    rest = rest.slice(pair[0].length);
  }
  return { scheme: match[1] as string, parameters };
}

export function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export interface Grant {
  readonly token: string;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly issued_at?: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** Fetches tokens and keeps them per scope until the server refuses one. */
export class Tokens {
  readonly #origin: string;
  readonly #credentials: Credentials | undefined;
  readonly #kept = new Map<string, Promise<string>>();
  #realm: Promise<{ origin: string; path: string; service: string }> | undefined;

  constructor(origin: string, credentials: Credentials | undefined) {
    this.#origin = origin;
    this.#credentials = credentials;
  }

  /** A token for the scopes; the same one as long as nobody calls `forget`. */
  for(scopes: readonly string[]): Promise<string> {
    const key = scopes.join(' ');
    let token = this.#kept.get(key);
    if (token === undefined) {
      token = this.#fetch(scopes);
      this.#kept.set(key, token);
      token.catch(() => this.#kept.delete(key));
    }
    return token;
  }

  forget(scopes: readonly string[]): void {
    this.#kept.delete(scopes.join(' '));
  }

  /** What the token endpoint says, whatever it is. */
  async ask(scopes: readonly string[], extra: Record<string, string> = {}): Promise<Answer> {
    this.#realm ??= this.#discover();
    this.#realm.catch(() => (this.#realm = undefined));
    const { origin, path, service } = await this.#realm;
    const query = new URLSearchParams({ service, ...extra });
    for (const scope of scopes) query.append('scope', scope);
    return send(origin, {
      path: `${path}?${query.toString()}`,
      headers: this.#credentials ? { Authorization: basic(this.#credentials) } : {},
    });
  }

  async #fetch(scopes: readonly string[]): Promise<string> {
    const answer = await this.ask(scopes);
    if (answer.status !== 200) throw new TokenRefused(answer);
    return answer.json<Grant>().token;
  }

  async #discover() {
    const ping = await send(this.#origin, { path: '/v2/' });
    const header = ping.header('WWW-Authenticate');
    if (ping.status !== 401 || header === undefined) throw new TokenRefused(ping);
    const { parameters } = parseChallenge(header);
    const realm = new URL(parameters['realm'] ?? '');
    return { origin: realm.origin, path: realm.pathname, service: parameters['service'] ?? '' };
  }
}

export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`no token: status ${answer.status} ${answer.body.toString('utf8', 0, 300)}`);
    this.answer = answer;
  }
}
