/**
 * Sign-in at an OIDC provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636), by
 * openid-client. What has to be known again when the browser comes back travels sealed in a cookie of that browser, so a
 * sign-in ends only where it began, and starting one costs the hub nothing.
 */
import { randomBytes } from 'node:crypto';
import type * as Client from 'openid-client';
import type { Database } from '../db/database.ts';
import { ProviderUnavailable, SignInRefused } from './errors.ts';
import type { Vouched } from './identities.ts';
import { secretOf, type OidcProvider } from './providers.ts';
import type { Secrets } from './secrets.ts';

/** Asks a provider over the network: the way out that is watched. */
export type ProviderFetch = (provider: OidcProvider) => Client.CustomFetch;

export interface Oidc {
  /** @throws {ProviderUnavailable} */
  start(provider: OidcProvider, request: { readonly redirectUri: string; readonly returnTo: string }): Promise<Started>;
  /**
   * @param url that the browser came back to, with the provider's answer in its query
   * @param sealed what `start` gave the browser
   * @throws {SignInRefused} when the answer is not one to that start
   * @throws {ProviderUnavailable}
   */
  finish(provider: OidcProvider, url: URL, sealed: string): Promise<Vouched & { readonly returnTo: string }>;
}

interface Started {
  /** Where to send the browser. */
  readonly url: URL;
  readonly sealed: string;
}

interface Memo {
  readonly provider: number;
  readonly version: number;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly returnTo: string;
  readonly until: number;
}

const PURPOSE = 'oidc-sign-in';
export const SIGN_IN_SECONDS = 600;
const TIMEOUT_SECONDS = 10;
/** A provider's description is asked for anew so often. */
const KNOWN_MS = 3_600_000;
const MOST_GROUPS = 1_000;

export function createOidc(
  parts: { readonly db: Database; readonly secrets: Secrets; readonly fetch: ProviderFetch },
  now: () => number = () => Date.now(),
): Oidc {
  const { db, secrets } = parts;
  const known = new Map<number, { version: number; at: number; config: Promise<Client.Configuration> }>();

  function configurationOf(provider: OidcProvider): Promise<Client.Configuration> {
    const found = known.get(provider.id);
    if (found !== undefined && found.version === provider.version && now() - found.at < KNOWN_MS) return found.config;
    const config = discover(provider);
    known.set(provider.id, { version: provider.version, at: now(), config });
    // A provider that could not be reached is asked again at the next sign-in.
    config.catch(() => known.delete(provider.id));
    return config;
  }

  async function discover(provider: OidcProvider): Promise<Client.Configuration> {
    const client = await import('openid-client');
    const { issuer, clientId, clientAuthentication } = provider.settings;
    const secret = await secretOf(db, secrets, provider);
    const authentication =
      secret === undefined
        ? client.None()
        : clientAuthentication === 'client_secret_post'
          ? client.ClientSecretPost(secret)
          : client.ClientSecretBasic(secret);
    const url = new URL(issuer);
    return client.discovery(url, clientId, undefined, authentication, {
      timeout: TIMEOUT_SECONDS,
      [client.customFetch]: parts.fetch(provider),
      // Only for an issuer that an administrator wrote with http: nothing else is asked over it.
      execute: url.protocol === 'http:' ? [client.allowInsecureRequests] : [],
    });
  }

  async function ask<T>(provider: OidcProvider, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translate(provider, error);
    }
  }

  return {
    start: (provider, { redirectUri, returnTo }) =>
      ask(provider, async () => {
        const config = await configurationOf(provider);
        const client = await import('openid-client');
        const memo: Memo = {
          provider: provider.id,
          version: provider.version,
          state: randomBytes(32).toString('base64url'),
          nonce: randomBytes(32).toString('base64url'),
          verifier: client.randomPKCECodeVerifier(),
          redirectUri,
          returnTo,
          until: now() + SIGN_IN_SECONDS * 1000,
        };
        const url = client.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope: ['openid', ...provider.settings.scopes].join(' '),
          state: memo.state,
          nonce: memo.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(memo.verifier),
          code_challenge_method: 'S256',
        });
        return { url, sealed: write(secrets, memo) };
      }),

    async finish(provider, url, sealed) {
      const memo = read(secrets, sealed);
      const same = memo?.provider === provider.id && memo.version === provider.version;
      if (memo === undefined || !same || memo.until < now()) throw new SignInRefused();
      return ask(provider, async () => {
        const config = await configurationOf(provider);
        const client = await import('openid-client');
        const answered = new URL(memo.redirectUri);
        answered.search = url.search;
        const tokens = await client.authorizationCodeGrant(config, answered, {
          expectedState: memo.state,
          expectedNonce: memo.nonce,
          pkceCodeVerifier: memo.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new SignInRefused();
        const { nameClaim, groupsClaim } = provider.settings;
        let facts: Record<string, unknown> = claims;
        const lacking = facts[groupsClaim] === undefined || facts[nameClaim] === undefined;
        if (lacking && config.serverMetadata().userinfo_endpoint !== undefined) {
          facts = { ...(await client.fetchUserInfo(config, tokens.access_token, claims.sub)), ...facts };
        }
        return {
          issuer: claims.iss,
          subject: claims.sub,
          name: textOf(facts[nameClaim]) ?? textOf(facts['preferred_username']) ?? textOf(facts['email']) ?? '',
          groups: listOf(facts[groupsClaim]),
          returnTo: memo.returnTo,
        };
      });
    },
  };
}

function write(secrets: Secrets, memo: Memo): string {
  const { keyId, nonce, ciphertext } = secrets.seal(PURPOSE, '', Buffer.from(JSON.stringify(memo)));
  return [keyId, nonce.toString('base64url'), ciphertext.toString('base64url')].join('.');
}

/** Undefined when it is none of ours, or was altered. */
function read(secrets: Secrets, sealed: string): Memo | undefined {
  const [keyId = '', nonce = '', ciphertext = ''] = sealed.split('.');
  try {
    const parts = { keyId, nonce: Buffer.from(nonce, 'base64url'), ciphertext: Buffer.from(ciphertext, 'base64url') };
    return JSON.parse(secrets.open(PURPOSE, '', parts).toString('utf8')) as Memo;
  } catch {
    return undefined;
  }
}

/**
 * A path of the hub's own, or else its front page. Browsers read backslashes as slashes and drop control characters, so what
 * has any of those is refused before it is parsed.
 */
export function ownPath(text: string | null, origin: string): string {
  if (text === null || text.length > 2_000 || !/^\/(?!\/)[!-[\]-~]*$/.test(text)) return '/ui/';
  const url = URL.canParse(text, origin) ? new URL(text, origin) : undefined;
  if (url === undefined || url.origin !== new URL(origin).origin || url.pathname.startsWith('//')) return '/ui/';
  return url.pathname + url.search + url.hash;
}

/** What the provider said about the answer itself is a refusal; everything else means that it could not be asked. */
function translate(provider: OidcProvider, error: unknown): unknown {
  if (error instanceof SignInRefused || error instanceof ProviderUnavailable) return error;
  const {
    name,
    code,
    error: said,
    message,
  } = error as { name?: string; code?: string; error?: string; message?: string };
  const refused =
    name === 'AuthorizationResponseError' ||
    (name === 'ResponseBodyError' && said === 'invalid_grant') ||
    code === 'OAUTH_INVALID_RESPONSE' ||
    code === 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' ||
    code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' ||
    code === 'OAUTH_KEY_SELECTION_FAILED' ||
    code === 'ERR_INVALID_ARG_VALUE';
  if (refused) return new SignInRefused(undefined, error);
  // Without the cause: it may hold what was sent and received.
  const particulars = [code, said, message].filter((part) => part !== undefined).join(' ');
  return new ProviderUnavailable(`The provider ${provider.name} could not be asked: ${particulars}`);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A list of names, or one name. */
function listOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list
    .filter((each) => typeof each === 'string' && each !== '' && each.length <= 1_000)
    .slice(0, MOST_GROUPS) as string[];
}
