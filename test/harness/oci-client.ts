/**
 * A small OCI client for tests. It knows the specification and the quirks of real clients, and shares no code with the
 * server. Plain calls return the answer whatever it is; calls named `must…` throw unless it is the success of the spec.
 */
import { basic, parseChallenge, Tokens, type Credentials } from './oci-client-auth.ts';
import { digestOf, type Blob, type Image, type Manifest } from './oci-client-content.ts';
import { send, type Answer, type Ask, type Body } from './oci-client-http.ts';

export * from './oci-client-auth.ts';
export * from './oci-client-content.ts';
export * from './oci-client-http.ts';

export interface ClientOptions {
  readonly origin: string;
  readonly credentials?: Credentials;
  /** How credentials travel. `none` sends nothing at all, not even an anonymous token. */
  readonly transport?: 'bearer' | 'basic' | 'none';
}

export interface RequestOptions extends Omit<Ask, 'path' | 'method'> {
  /** Scopes for the token; without them none is asked for before the server challenges. */
  readonly scopes?: readonly string[];
}

export class OciClient {
  readonly origin: string;
  readonly #options: ClientOptions;
  readonly tokens: Tokens;

  constructor(options: ClientOptions) {
    this.origin = options.origin;
    this.#options = options;
    this.tokens = new Tokens(options.origin, options.credentials);
  }

  /** Sends a request; a 401 with a Bearer challenge is answered once with a token for what the challenge asks. */
  async request(method: string, path: string, { scopes, ...rest }: RequestOptions = {}): Promise<Answer> {
    const ask: Ask = { ...rest, method, path };
    const { transport = 'bearer', credentials } = this.#options;
    if (transport === 'none') return send(this.origin, ask);
    if (transport === 'basic') return send(this.origin, credentials ? authorized(ask, basic(credentials)) : ask);
    const first = await send(this.origin, scopes ? authorized(ask, `Bearer ${await this.tokens.for(scopes)}`) : ask);
    const header = first.header('WWW-Authenticate');
    if (first.status !== 401 || header === undefined) return first;
    if (scopes) this.tokens.forget(scopes);
    const wanted = parseChallenge(header).parameters['scope'];
    const retry = wanted === undefined ? (scopes ?? []) : [wanted];
    this.tokens.forget(retry);
    return send(this.origin, authorized(ask, `Bearer ${await this.tokens.for(retry)}`));
  }

  repo(name: string): Repo {
    return new Repo(this, name);
  }
}

function authorized(ask: Ask, authorization: string): Ask {
  return { ...ask, headers: { ...ask.headers, Authorization: authorization } };
}

export interface TagList {
  readonly name: string;
  readonly tags: readonly string[];
}

export interface Referrers {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: readonly (Record<string, unknown> & { digest: string; mediaType: string; size: number })[];
}

export type Query = Record<string, string | number | readonly string[] | undefined>;

/** One repository, one method per endpoint of the specification. */
export class Repo {
  readonly client: OciClient;
  readonly name: string;

  constructor(client: OciClient, name: string) {
    this.client = client;
    this.name = name;
  }

  request(method: string, rest: string, options: RequestOptions = {}): Promise<Answer> {
    const deleting = method === 'DELETE' && !rest.startsWith('/blobs/uploads/');
    const actions = method === 'GET' || method === 'HEAD' ? 'pull' : deleting ? 'pull,delete' : 'pull,push';
    return this.client.request(method, `/v2/${this.name}${rest}`, {
      scopes: [`repository:${this.name}:${rest.startsWith('/blobs/uploads/') ? 'pull,push' : actions}`],
      ...options,
    });
  }

  // Blobs

  headBlob(digest: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('HEAD', `/blobs/${digest}`, { headers });
  }

  /** Follows a redirect to the store, as clients do: without the Authorization header. */
  async getBlob(digest: string, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.request('GET', `/blobs/${digest}`, { headers });
    if (answer.status !== 307) return answer;
    const target = new URL(answer.header('Location') ?? '');
    return send(target.origin, { path: `${target.pathname}${target.search}`, headers });
  }

  deleteBlob(digest: string): Promise<Answer> {
    return this.request('DELETE', `/blobs/${digest}`);
  }

  // Uploads

  post(query: Query = {}, options: RequestOptions = {}): Promise<Answer> {
    return this.request('POST', `/blobs/uploads/${toQuery(query)}`, options);
  }

  mount(digest: string, from?: string): Promise<Answer> {
    const scopes = [`repository:${this.name}:pull,push`, ...(from ? [`repository:${from}:pull`] : [])];
    return this.post({ mount: digest, from }, { scopes });
  }

  /** Opens a session and returns its location. */
  async mustStart(query: Query = {}): Promise<string> {
    return locationOf(expectStatus(await this.post(query), 202));
  }

  /** Any request to a session's location. */
  at(location: string, method: string, options: RequestOptions = {}, query: Query = {}): Promise<Answer> {
    const url = new URL(location, this.client.origin);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.append(name, String(value));
    // A Location with an encoded query stays as it is; only what is added is encoded here.
    const path = `${url.pathname}${url.search}`;
    return this.client.request(method, path, { scopes: [`repository:${this.name}:pull,push`], ...options });
  }

  /** One chunk; `start` makes it a ranged one, without it the chunk goes to the end of what is there. */
  patch(location: string, body: Body, start?: number): Promise<Answer> {
    const headers: Record<string, string> = { 'Content-Type': 'application/octet-stream' };
    if (start !== undefined) headers['Content-Range'] = `${start}-${start + bodyLength(body) - 1}`;
    return this.at(location, 'PATCH', { headers, body });
  }

  /** Closes a session, with a last chunk or without. */
  close(location: string, digest: string, body?: Body, start?: number): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['Content-Type'] = 'application/octet-stream';
    if (body !== undefined && start !== undefined)
      headers['Content-Range'] = `${start}-${start + bodyLength(body) - 1}`;
    return this.at(location, 'PUT', { headers, ...(body === undefined ? {} : { body }) }, { digest });
  }

  /** Pushes a blob the way containerd does: POST, then PUT with the body. */
  async mustPush(content: Blob): Promise<Answer> {
    const location = await this.mustStart();
    return expectStatus(await this.close(location, content.digest, content.bytes), 201);
  }

  // Manifests

  headManifest(reference: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('HEAD', `/manifests/${reference}`, { headers });
  }

  getManifest(reference: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', `/manifests/${reference}`, { headers });
  }

  putManifest(content: Manifest, reference: string = content.digest, query: Query = {}): Promise<Answer> {
    const headers = { 'Content-Type': content.mediaType };
    return this.request('PUT', `/manifests/${reference}${toQuery(query)}`, { headers, body: content.bytes });
  }

  deleteManifest(reference: string): Promise<Answer> {
    return this.request('DELETE', `/manifests/${reference}`);
  }

  async mustPut(content: Manifest, reference?: string): Promise<Answer> {
    return expectStatus(await this.putManifest(content, reference), 201);
  }

  async mustPushImage(content: Image, reference?: string): Promise<Answer> {
    for (const one of content.blobs) await this.mustPush(one);
    return this.mustPut(content.manifest, reference);
  }

  /** Pulls a manifest and everything it needs, and checks every byte against its digest. */
  async mustPull(reference: string): Promise<Buffer> {
    const answer = expectStatus(await this.getManifest(reference), 200);
    const document = answer.json<{ config?: Blob; layers?: Blob[]; manifests?: Blob[] }>();
    for (const child of document.manifests ?? []) await this.mustPull(child.digest);
    for (const part of [...(document.config ? [document.config] : []), ...(document.layers ?? [])]) {
      const { body } = expectStatus(await this.getBlob(part.digest), 200);
      if (!sameDigest(body, part.digest)) throw new Error(`${this.name}: blob ${part.digest} came with other bytes`);
    }
    return answer.body;
  }

  // Lists

  tags(query: Query = {}): Promise<Answer> {
    return this.request('GET', `/tags/list${toQuery(query)}`);
  }

  async mustTags(query: Query = {}): Promise<readonly string[]> {
    return expectStatus(await this.tags(query), 200).json<TagList>().tags;
  }

  referrers(digest: string, query: Query = {}): Promise<Answer> {
    return this.request('GET', `/referrers/${digest}${toQuery(query)}`);
  }

  async mustReferrers(digest: string, query: Query = {}): Promise<Referrers['manifests']> {
    return expectStatus(await this.referrers(digest, query), 200).json<Referrers>().manifests;
  }
}

export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.body.toString('utf8', 0, 500)}`);
}

export function locationOf(answer: Answer): string {
  const location = answer.header('Location');
  if (location === undefined) throw new Error(`status ${answer.status} came without a Location`);
  return location;
}

/** The target of a Link header with rel="next" (RFC 8288), as path and query. */
export function nextLink(answer: Answer): string | undefined {
  const header = answer.header('Link');
  if (header === undefined) return undefined;
  const match = /^<([^>]*)>\s*;\s*rel="?next"?$/.exec(header);
  if (!match) throw new Error(`cannot read Link: ${header}`);
  const url = new URL(match[1] as string, 'http://origin.invalid/');
  return `${url.pathname}${url.search}`;
}

function bodyLength(body: Body): number {
  if (typeof body === 'function') throw new Error('say the length of a streamed chunk');
  return Buffer.byteLength(body);
}

function sameDigest(bytes: Buffer, digest: string): boolean {
  const algorithm = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  return digestOf(bytes, algorithm) === digest;
}

function toQuery(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
