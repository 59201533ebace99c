/**
 * The ES256 keys that sign registry tokens. They live in Postgres, so every replica signs with the same one and a restart
 * keeps tokens valid. A key signs for 30 days and is published for a day longer, far beyond the life of what it signed.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import type { Database } from '../db/database.ts';
import * as rows from './queries/keys.ts';
import { lock } from './queries/locks.ts';
import type { Secrets } from './secrets.ts';

export interface KeyRing {
  /** The key to sign with; made when there is none. */
  signer(): Promise<{ readonly kid: string; readonly key: CryptoKey }>;
  /** The public key of that id, if it is one of ours and still published. */
  verifier(kid: string): Promise<CryptoKey | undefined>;
  /** From memory alone; what `verifier` found stays known until it is retired. */
  knows(kid: string): boolean;
  /** Public keys, for `/auth/jwks`. */
  jwks(): Promise<{ keys: JWK[] }>;
}

const DAY_SECONDS = 86_400;
const SIGNS_SECONDS = 30 * DAY_SECONDS;
const PUBLISHED_SECONDS = SIGNS_SECONDS + DAY_SECONDS;
const PURPOSE = 'signing-key';
/** How long memory is believed, which bounds how long a key that was retired by hand still verifies here. */
const REFRESH_MS = 60_000;
/** RFC 7638 with SHA-256; what has another form is not looked up. */
const KID = /^[A-Za-z0-9_-]{43}$/;

interface Known {
  readonly kid: string;
  readonly jwk: JWK;
  readonly key: CryptoKey;
  readonly secretId: number;
  /** On the clock of `performance.now()`, which nobody sets back. */
  readonly signsUntil: number;
  readonly retiredAt: number;
}

export function createKeyRing(db: Database, secrets: Secrets, now: () => number = () => performance.now()): KeyRing {
  let keys = new Map<string, Known>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;
  let signing: { kid: string; key: CryptoKey } | undefined;

  async function read(): Promise<void> {
    const at = now();
    const found = await rows.selectSigningKeys(db);
    const known = await Promise.all(
      found.map(async (row): Promise<Known> => ({
        kid: row.kid,
        jwk: row.publicJwk as JWK,
        key: keys.get(row.kid)?.key ?? ((await importJWK(row.publicJwk as JWK, 'ES256')) as CryptoKey),
        secretId: row.secretId,
        signsUntil: at + row.signsForMs,
        retiredAt: at + row.publishedForMs,
      })),
    );
    keys = new Map(known.map((key) => [key.kid, key]));
    loadedAt = at;
  }

  /** One query at a time, however many requests bring unknown key ids. */
  function reload(): Promise<void> {
    loading ??= read().finally(() => (loading = undefined));
    return loading;
  }

  async function refresh(): Promise<void> {
    if (now() - loadedAt > REFRESH_MS) await reload();
  }

  function current(): Known | undefined {
    const at = now();
    return [...keys.values()].find((key) => key.signsUntil > at);
  }

  function published(kid: string): Known | undefined {
    const key = keys.get(kid);
    return key !== undefined && key.retiredAt > now() ? key : undefined;
  }

  return {
    async signer() {
      await refresh();
      let chosen = current();
      if (chosen === undefined) {
        await makeKey(db, secrets);
        await read();
        chosen = current();
        if (chosen === undefined) throw new Error('No signing key, although one was just made');
      }
      if (signing?.kid !== chosen.kid) {
        const jwk = JSON.parse((await secrets.read(db, chosen.secretId)).toString()) as JWK;
        signing = { kid: chosen.kid, key: (await importJWK(jwk, 'ES256')) as CryptoKey };
      }
      return signing;
    },
    async verifier(kid) {
      if (!KID.test(kid)) return undefined;
      await refresh();
      if (published(kid) === undefined) {
        // Another replica may have made it since; a load that was under way may have missed it.
        const joined = loading !== undefined;
        await reload();
        if (joined && published(kid) === undefined) await reload();
      }
      return published(kid)?.key;
    },
    knows: (kid) => published(kid) !== undefined,
    async jwks() {
      await refresh();
      if (keys.size === 0) await this.signer();
      return { keys: [...keys.values()].filter((key) => published(key.kid) !== undefined).map((key) => key.jwk) };
    },
  };
}

/** Makes a key unless another worker was faster; at the end there is one. */
async function makeKey(db: Database, secrets: Secrets): Promise<void> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const privateJwk = Buffer.from(JSON.stringify(await exportJWK(pair.privateKey)));
  await db.transaction(async (tx) => {
    await lock(tx, 'signingKey');
    if ((await rows.selectSigningKeys(tx)).some((key) => key.signsForMs > 0)) return;
    await rows.deleteRetiredKeys(tx);
    const secretId = await secrets.put(tx, PURPOSE, kid, privateJwk);
    await rows.insertSigningKey(tx, {
      kid,
      publicJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' },
      secretId,
      signsSeconds: SIGNS_SECONDS,
      publishedSeconds: PUBLISHED_SECONDS,
    });
  });
}
