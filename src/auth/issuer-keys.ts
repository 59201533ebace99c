/**
 * The public keys of issuers: fetched by the hub's one way out, kept in the issuer's row, so that all processes share them. They are
 * fetched anew when they are an hour old or a token names one that is not among them, and used for a day when the issuer is away.
 */
import type { JWK } from 'jose';
import type { Database } from '../db/database.ts';
import { OutboundError, type Outbound } from '../http/outbound.ts';
import { AccountError, ProviderUnavailable } from './errors.ts';
import { selectIssuer, storeKeys, type IssuerRow } from './queries/issuers.ts';

export interface KeySet {
  readonly keys: readonly JWK[];
}

/** Where keys are fetched, and what the administrator has allowed for it. */
export interface KeySource {
  readonly url: string;
  readonly http: boolean;
  readonly privateAddresses: boolean;
  readonly ca: string | null;
}

export interface IssuerKeys {
  /** @throws {AccountError} issuer-unusable, with a sentence for whoever registers it */
  fetch(source: KeySource): Promise<KeySet>;
  /**
   * The keys to check a token with that names this one.
   * @throws {ProviderUnavailable} when they are too old, and no newer ones are to be had
   */
  for(issuer: IssuerRow, kid: string | undefined): Promise<KeySet>;
}

const FRESH_MS = 60 * 60_000;
const OLDEST_MS = 24 * 60 * 60_000;
/** Between two fetches for the same issuer, whatever tokens say. */
const COOLDOWN_MS = 30_000;
const SECONDS = 5;
const LARGEST = 256 * 1024;
const MOST_KEYS = 100;

/** @param now a clock that only goes forward, in milliseconds */
export function createIssuerKeys(
  db: Database,
  outbound: Outbound,
  now: () => number = () => performance.now(),
): IssuerKeys {
  const failedAt = new Map<number, number>();
  const underWay = new Map<number, Promise<void>>();

  async function refresh(issuer: IssuerRow): Promise<void> {
    try {
      await storeKeys(db, issuer, await fetchKeys(outbound, issuer));
      failedAt.delete(issuer.id);
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      failedAt.set(issuer.id, now());
    }
  }

  function refreshOnce(issuer: IssuerRow): Promise<void> {
    let running = underWay.get(issuer.id);
    if (running === undefined) {
      running = refresh(issuer).finally(() => underWay.delete(issuer.id));
      underWay.set(issuer.id, running);
    }
    return running;
  }

  return {
    fetch: (source) => fetchKeys(outbound, source),
    async for(given, kid) {
      let issuer = given;
      if (issuer.pasted) return issuer.keys;
      const unknown = kid !== undefined && !issuer.keys.keys.some((key) => key['kid'] === kid);
      const wanted = issuer.keysAgeMs > FRESH_MS || (unknown && issuer.keysAgeMs > COOLDOWN_MS);
      if (wanted && now() - (failedAt.get(issuer.id) ?? -Infinity) > COOLDOWN_MS) {
        await refreshOnce(issuer);
        issuer = (await selectIssuer(db, issuer.name)) ?? issuer;
      }
      if (issuer.keysAgeMs > OLDEST_MS)
        throw new ProviderUnavailable(`The keys of issuer ${issuer.name} are a day old`);
      return issuer.keys;
    },
  };
}

/** Discovery (OpenID Connect Discovery 1.0, section 4), then what it points to. */
async function fetchKeys(outbound: Outbound, source: KeySource): Promise<KeySet> {
  const where = `${source.url.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = (await askJson(outbound, where, source)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (found?.issuer !== source.url) {
    const itself = typeof found?.issuer === 'string' ? JSON.stringify(found.issuer.slice(0, 200)) : 'nothing';
    throw unusable(`${where} calls the issuer ${itself}; the URL here has to be the same, letter by letter.`);
  }
  if (typeof found.jwks_uri !== 'string') throw unusable(`${where} names no jwks_uri.`);
  return readKeys(await askJson(outbound, found.jwks_uri, source), found.jwks_uri);
}

async function askJson(outbound: Outbound, url: string, source: KeySource): Promise<unknown> {
  const shown = url.slice(0, 500);
  try {
    const answer = await outbound.send(url, {
      headers: { Accept: 'application/json' },
      trust: {
        http: source.http,
        privateAddresses: source.privateAddresses,
        ...(source.ca !== null && { ca: source.ca }),
      },
      seconds: SECONDS,
      maxBytes: LARGEST,
    });
    if (answer.status !== 200) {
      answer.close();
      throw unusable(`${shown} answers ${answer.status}. Paste the keys as jwks if it cannot be asked from here.`);
    }
    return JSON.parse((await answer.read()).toString('utf8'));
  } catch (error) {
    if (error instanceof OutboundError) throw unusable(`${shown} cannot be asked. ${error.message}`);
    if (error instanceof SyntaxError) throw unusable(`${shown} does not answer with JSON.`);
    throw error;
  }
}

/** Public members of keys that sign (RFC 7518, section 6); certificates and whatever else a key brings along are dropped. */
const MEMBERS = ['kty', 'kid', 'use', 'alg', 'n', 'e', 'crv', 'x', 'y'] as const;

/** @throws {AccountError} issuer-unusable */
export function readKeys(value: unknown, from = 'jwks'): KeySet {
  const list: unknown = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw unusable(`${from} is no JWK Set: it has no list called keys.`);
  if (list.length > MOST_KEYS) throw unusable(`${from} has more than ${MOST_KEYS} keys.`);
  const keys = list.filter(signs).map((key) => {
    const kept = MEMBERS.flatMap((name) => (typeof key[name] === 'string' ? [[name, key[name]] as const] : []));
    return Object.fromEntries(kept);
  });
  if (keys.length === 0) throw unusable(`${from} has no public key that signs (RSA, EC or OKP).`);
  return { keys };
}

function signs(key: unknown): key is Record<string, unknown> {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, use } = key as Record<string, unknown>;
  return (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && (use === undefined || use === 'sig');
}

function unusable(message: string): AccountError {
  // Postgres takes no NUL, people no control characters.
  return new AccountError('issuer-unusable', message.replaceAll(/\p{Cc}/gu, ' '));
}
