/** A small issuer of build tokens on a free port: its keys, its mood and its answers are the test's to decide. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose';
import { afterAll } from 'vitest';
import type { TestHub } from '../harness/hub.ts';
import { expectStatus, unique } from '../harness/oci-client.ts';

export const AUDIENCE = 'hub.example.com';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(alg = 'ES256', kid: string = unique('key-')): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Signing {
  readonly key?: SigningKey;
  readonly header?: Partial<JWTHeaderParameters>;
}

export type Claims = Record<string, unknown>;

export interface TestIssuer {
  readonly url: string;
  readonly key: SigningKey;
  /** What it publishes. */
  keys: JWK[];
  /** It does not answer while true. */
  away: boolean;
  /** Changes what discovery says. */
  discovery: Record<string, unknown>;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** A token for a build of `octo/app`, five minutes long; a claim that is undefined is left out. */
  token(claims?: Claims, signing?: Signing): Promise<string>;
}

/** Call it at the top level of a test file. */
export async function testIssuer(): Promise<TestIssuer> {
  const key = await signingKey();
  const server = createServer((request, response) => {
    if (self.away) {
      request.socket.destroy();
      return;
    }
    self.asked.push(request.url ?? '');
    const body = request.url === '/keys' ? { keys: self.keys } : self.discovery;
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: TestIssuer & { asked: string[] } = {
    url,
    key,
    keys: [key.jwk],
    away: false,
    discovery: { issuer: url, jwks_uri: `${url}/keys` },
    asked: [],
    token: (claims = {}, signing = {}) => sign(url, signing.key ?? key, claims, signing.header),
  };
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return self;
}

let builds = 0;

export function buildClaims(url: string, more: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: url,
    aud: AUDIENCE,
    sub: 'repo:octo/app:ref:refs/heads/main',
    repository: 'octo/app',
    ref: 'refs/heads/main',
    run_id: String(++builds),
    iat: now,
    nbf: now,
    exp: now + 300,
    ...more,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export function sign(
  url: string,
  key: SigningKey,
  more: Claims,
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT(buildClaims(url, more))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey);
}

/** Registers it under a name of its own, and answers that. */
export async function register(hub: TestHub, issuer: TestIssuer, more: Record<string, unknown> = {}): Promise<string> {
  const name = unique('issuer-');
  const allowed = { http: true, private_addresses: true };
  expectStatus(await hub.api('POST', '/issuers', { name, url: issuer.url, ...allowed, ...more }), 201);
  return name;
}

export interface Rule {
  readonly project: string;
  readonly name: string;
  readonly subject: string;
}

/** A trust rule in the project, with a right. */
export async function trust(
  hub: TestHub,
  issuer: string,
  project: string,
  more: Record<string, unknown> = {},
  role: 'none' | 'reader' | 'writer' | 'maintainer' | 'owner' = 'maintainer',
): Promise<Rule> {
  const rule = { name: unique('rule-'), issuer, audience: AUDIENCE, claims: { repository: 'octo/app' }, ...more };
  const made = expectStatus(await hub.api('POST', `/projects/${project}/trust-rules`, rule), 201);
  const { subject } = made.json<{ subject: string }>();
  if (role !== 'none') {
    const grant = { subject, subject_type: 'trust_rule', role };
    expectStatus(await hub.api('PUT', `/projects/${project}/grants`, grant), 200);
  }
  return { project, name: rule.name, subject };
}
