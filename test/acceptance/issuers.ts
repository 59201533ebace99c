/** The CI systems' side of a job's identity: who signs its tokens, and where a job or a hub asks for them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface Issuer {
  readonly url: string;
  readonly jwks: { keys: JWK[] };
  sign(audience: string, claims: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Signs as GitHub, GitLab and Kubernetes do: RS256, for five minutes. */
export async function makeIssuer(url: string): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  return {
    url,
    jwks: { keys: [key] },
    sign: (audience, claims) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'JWT' })
        .setIssuer(url)
        .setAudience(audience)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setNotBefore(Math.floor(Date.now() / 1000) - 5)
        .setExpirationTime('5 minutes')
        .sign(privateKey),
  };
}

export interface LocalServer extends AsyncDisposable {
  readonly url: string;
}

/** @param answer what is sent as JSON; undefined is 404 */
export async function serveJson(
  answer: (request: IncomingMessage, path: string, body: string) => unknown,
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', async () => {
      const said = await answer(request, request.url?.split('?')[0] ?? '', body);
      response.writeHead(said === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(said ?? { kind: 'Status', code: 404, reason: 'NotFound' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An issuer that is found by discovery, as a GitLab of one's own is. */
export async function startDiscoverableIssuer(): Promise<Issuer & AsyncDisposable> {
  let issuer: Issuer | undefined;
  const server = await serveJson((_, path) => {
    if (issuer === undefined) return undefined;
    const discovery = {
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/oauth/discovery/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
    return { '/.well-known/openid-configuration': discovery, '/oauth/discovery/keys': issuer.jwks }[path];
  });
  issuer = await makeIssuer(server.url);
  return { ...issuer, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/**
 * Where a job on GitHub asks for its token.
 * https://docs.github.com/actions/reference/security/oidc: the URL has a query already, and the token is in `value`.
 */
export async function startGithubTokens(
  issuer: Issuer,
  claims: () => Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable & { readonly env: Record<string, string> }> {
  const secret = crypto.randomUUID();
  const server = await serveJson(async (request) => {
    const audience = new URL(request.url!, 'http://local').searchParams.get('audience');
    if (request.headers.authorization !== `Bearer ${secret}` || audience === null) return undefined;
    return { value: await issuer.sign(audience, claims()) };
  });
  return {
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export interface Cluster extends LocalServer {
  /** What was sent to be created or changed, by method and path. Some kubectl send protobuf, in which text is still text. */
  readonly written: ReadonlyMap<string, string>;
  /** For KUBECONFIG. JSON is YAML. */
  readonly kubeconfig: string;
}

/** The API of a cluster, as far as kubectl wants it to make a pull secret and to read who signs for service accounts. */
export async function startClusterApi(issuer: Issuer): Promise<Cluster> {
  const written = new Map<string, string>();
  const resource = (name: string, kind: string) => ({
    name,
    kind,
    namespaced: true,
    verbs: ['get', 'create', 'patch'],
  });
  const reads: Record<string, unknown> = {
    '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [resource('secrets', 'Secret'), resource('serviceaccounts', 'ServiceAccount')],
    },
    '/api/v1/namespaces/shop/serviceaccounts/default': {
      kind: 'ServiceAccount',
      apiVersion: 'v1',
      metadata: { name: 'default', namespace: 'shop' },
    },
    '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: `${issuer.url}/openid/v1/jwks` },
    '/openid/v1/jwks': issuer.jwks,
  };
  const server = await serveJson((request, path, body) => {
    if (request.method === 'GET') return reads[path];
    written.set(`${request.method} ${path}`, body);
    return reads[path] ?? { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'hub', namespace: 'shop' } };
  });
  return {
    ...server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    written,
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      clusters: [{ name: 'c', cluster: { server: server.url } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: {} }],
    }),
  };
}
