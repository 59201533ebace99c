/**
 * The docker token flow: ask without credentials, read the challenge, fetch a Bearer token with Basic credentials, keep
 * it until it is half spent. A server that does not challenge gets no Authorization header.
 */

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

interface Token {
  readonly value: string;
  readonly freshUntil: number;
}

export class TokenSource {
  readonly #origin: string;
  readonly #credentials: Credentials | undefined;
  readonly #tokens = new Map<string, Token>();
  #challenge: { realm: string; service: string | undefined } | 'open' | undefined;

  constructor(origin: string, credentials?: Credentials) {
    this.#origin = origin;
    this.#credentials = credentials;
  }

  /** The Authorization header for these scopes, or undefined when the server is open. */
  async authorization(scopes: readonly string[]): Promise<string | undefined> {
    this.#challenge ??= await this.#ask();
    if (this.#challenge === 'open') return undefined;
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    if (known !== undefined && known.freshUntil > Date.now()) return `Bearer ${known.value}`;
    const token = await this.#fetch(this.#challenge, scopes);
    this.#tokens.set(key, token);
    return `Bearer ${token.value}`;
  }

  async #ask(): Promise<{ realm: string; service: string | undefined } | 'open'> {
    const response = await fetch(`${this.#origin}/v2/`);
    await response.arrayBuffer();
    if (response.status === 200) return 'open';
    const challenge = response.headers.get('www-authenticate') ?? '';
    const realm = /^Bearer .*realm="([^"]+)"/i.exec(challenge)?.[1];
    if (response.status !== 401 || realm === undefined) {
      throw new Error(`GET /v2/ answered ${response.status} with WWW-Authenticate: ${challenge || '(none)'}`);
    }
    return { realm, service: /service="([^"]+)"/i.exec(challenge)?.[1] };
  }

  async #fetch(challenge: { realm: string; service: string | undefined }, scopes: readonly string[]): Promise<Token> {
    if (this.#credentials === undefined) throw new Error(`${this.#origin} wants a token and no credentials are known`);
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const basic = Buffer.from(`${this.#credentials.user}:${this.#credentials.password}`).toString('base64');
    const response = await fetch(url, { headers: { authorization: `Basic ${basic}` } });
    const body = (await response.json()) as { token?: string; access_token?: string; expires_in?: number };
    const value = body.token ?? body.access_token;
    if (response.status !== 200 || value === undefined)
      throw new Error(`The token endpoint answered ${response.status}`);
    return { value, freshUntil: Date.now() + ((body.expires_in ?? 60) * 1000) / 2 };
  }
}
