/** The world, built once from the configuration, handed down, and disposed of once. */
import { randomUUID } from 'node:crypto';
import { createAuthenticator, type Authenticator } from './auth/authenticate.ts';
import { createDenials, type Denials } from './auth/denials.ts';
import { createDirectories } from './auth/directories.ts';
import { createGate } from './auth/gate.ts';
import { createIssuerKeys, type IssuerKeys } from './auth/issuer-keys.ts';
import { createKeyRing, type KeyRing } from './auth/keys.ts';
import { createOidc, type Oidc } from './auth/oidc.ts';
import { providerFetch } from './auth/provider-fetch.ts';
import { createRegistryTokens, type RegistryTokens } from './auth/registry-tokens.ts';
import { createSecrets, type Secrets as Vault } from './auth/secrets.ts';
import { createVerifiers } from './auth/verifiers.ts';
import { checkInstance } from './blobs/instance.ts';
import { anyBlob } from './blobs/queries.ts';
import { openStore } from './blobs/open.ts';
import type { BlobStore } from './blobs/store.ts';
import type { Config, Secrets } from './config.ts';
import { openDatabase, type Database } from './db/database.ts';
import { createOutbound, type Outbound } from './http/outbound.ts';
import { createLog, type Log } from './log.ts';
import { createMemory } from './registry/memory.ts';
import { createPulls } from './registry/pulls.ts';
import { refusalOf } from './registry/quota/refused.ts';
import type { Registry } from './registry/registry.ts';
import { createScenes } from './registry/scene.ts';
import { createLiveHashes } from './registry/uploads.ts';

export interface Context extends AsyncDisposable {
  readonly config: Config;
  readonly log: Log;
  readonly db: Database;
  readonly store: BlobStore;
  readonly registry: Registry;
  readonly keys: KeyRing;
  readonly tokens: RegistryTokens;
  readonly authenticator: Authenticator;
  readonly denials: Denials;
  readonly secrets: Vault;
  readonly oidc: Oidc;
  readonly issuerKeys: IssuerKeys;
  readonly outbound: Outbound;
}

export interface ContextOptions {
  /** Names the process in logs and in Postgres. */
  readonly process?: string;
  /** A UUID that names it in upload claims. */
  readonly claimant?: string;
}

/** Manifests; the specification asks for at least 4 MiB. */
const MANIFEST_LIMIT = 4 * 1024 * 1024;
/** Connections of one process: two batches of look-ups, a few transactions. Each backend of Postgres is memory. */
const CONNECTIONS = 4;

/** @throws when Postgres or the store cannot be used, or do not belong together */
export async function createContext(config: Config, secrets: Secrets, options: ContextOptions = {}): Promise<Context> {
  const name = options.process ?? 'berth';
  const log = createLog(config.logLevel, name);
  if (config.database.kind !== 'external') throw new Error('The embedded Postgres has to be started first');
  await using stack = new AsyncDisposableStack();
  const db = stack.use(
    openDatabase({
      connectionString: config.database.url,
      maxConnections: CONNECTIONS,
      applicationName: `berth ${name}`,
      onIdleError: (error) => log.warn({ reason: error.message }, 'a connection to Postgres broke'),
      refusalOf,
    }),
  );
  const { store, redirects } = await openStore(config.store);
  stack.use(store);
  await checkInstance(db, store, await anyBlob(db));
  const vault = createSecrets(secrets.masterKey);
  await vault.check(db);
  const keys = createKeyRing(db, vault);
  const tokens = createRegistryTokens(keys, config.publicUrls);
  const denials = stack.use(
    createDenials(db, (error) => log.warn({ err: error }, 'denials could not be written; they are kept for now')),
  );
  const pulls = stack.use(
    createPulls(db, (error) => log.warn({ err: error }, 'pulls could not be counted yet; they are kept for now')),
  );
  const outbound = createOutbound();
  const issuerKeys = createIssuerKeys(db, outbound);
  const authenticator = createAuthenticator(
    createVerifiers({
      db,
      tokens,
      sessions: config.sessions,
      directories: createDirectories(db, vault),
      issuerKeys,
      origins: config.publicUrls,
    }),
  );
  const registry: Registry = {
    db,
    store,
    redirects,
    gate: createGate(db, config),
    scenes: createScenes(db),
    memory: createMemory(),
    pulls,
    liveHashes: createLiveHashes(),
    worker: options.claimant ?? randomUUID(),
    limits: {
      blob: config.limits.blob,
      manifest: MANIFEST_LIMIT,
      uploadIdleSeconds: config.limits.uploadIdleSeconds,
      projectBytes: config.projectQuota,
    },
    clocks: config.gc,
  };
  const owned = stack.move();
  return {
    config,
    log,
    db,
    store,
    registry,
    keys,
    tokens,
    authenticator,
    denials,
    secrets: vault,
    oidc: createOidc({ db, secrets: vault, fetch: providerFetch(outbound) }),
    issuerKeys,
    outbound,
    async [Symbol.asyncDispose]() {
      await authenticator.settled();
      await owned.disposeAsync();
    },
  };
}
