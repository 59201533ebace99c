/**
 * A hub inside the test's process: real HTTP on a free port, a database of its own, a store of its own. At the end of the
 * file it is closed, and whatever it should not have left behind fails the file.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createServer } from '../../src/app.ts';
import { bootstrapAdmin } from '../../src/auth/accounts.ts';
import type { Config } from '../../src/config.ts';
import { createContext, type Context } from '../../src/context.ts';
import type { Database } from '../../src/db/database.ts';
import { testDatabase } from './database.ts';
import type { FakeS3 } from './fake-s3.ts';
import { freePort } from './hub-process.ts';
import { openHubStore, type HubStoreOptions } from './hub-store.ts';
import { leftovers, withoutOwner } from './leftovers.ts';
import {
  basic,
  closeConnections,
  OciClient,
  send,
  unique,
  type Answer,
  type Credentials,
  type Repo,
} from './oci-client.ts';

export interface HubOptions extends Omit<HubStoreOptions, 'kind'> {
  readonly store?: 'disk' | 's3';
  readonly config?: Partial<Omit<Config, 'limits' | 'gc'>> & {
    readonly limits?: Partial<Config['limits']>;
    readonly gc?: Partial<Config['gc']>;
  };
}

export interface Person {
  readonly name: string;
  readonly credentials: Credentials;
  readonly client: OciClient;
}

export interface ProjectOptions {
  readonly name?: string;
  readonly visibility?: 'private' | 'public';
  readonly allowSparse?: boolean;
  /** Who may do what in it. */
  readonly grants?: Readonly<Record<string, 'reader' | 'writer' | 'maintainer' | 'owner'>>;
}

export interface TestHub {
  readonly origin: string;
  readonly config: Config;
  readonly context: Context;
  readonly db: Database;
  /** The store's other side, when it is S3. */
  readonly s3: FakeS3 | undefined;
  readonly admin: OciClient;
  readonly adminCredentials: Credentials;
  /** Sends nothing but what the test says. */
  readonly stranger: OciClient;
  /** Gets tokens without credentials. */
  readonly anonymous: OciClient;
  /** A client for the person, or for anyone's credentials. */
  client(credentials: Credentials, transport?: 'bearer' | 'basic'): OciClient;
  /** A new user with a random name and password. */
  person(): Promise<Person>;
  /** A new project; returns its name. */
  project(options?: ProjectOptions): Promise<string>;
  /** A repository that does not exist yet, in a new private project, seen by the administrator. */
  repo(options?: ProjectOptions): Promise<Repo>;
  /** A second process's worth of hub on the same database and store, and the administrator's client of it. */
  replica(): Promise<OciClient>;
  /** A call to /api/v1 by the administrator. */
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Throws when a failed job, an object without an owner, or an upload's claim is left over. */
  assertNothingLeft(): Promise<void>;
}

const ADMIN = { username: 'admin', password: `pw-${randomBytes(8).toString('hex')}` };

/** Call it at the top level of a test file or inside `describe`. */
export async function testHub(options: HubOptions = {}): Promise<TestHub> {
  const { db, url } = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'berth-hub-'));
  const kind = options.store ?? options.config?.store?.kind;
  const store = await openHubStore(folder, { ...options, ...(kind && { kind }) });
  const ports = [await freePort(), await freePort()] as const;
  const [origin, replicaOrigin] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
  const config: Config = {
    ...defaults(folder, ports[0], url, store.config),
    publicUrls: [origin, replicaOrigin],
    ...options.config,
    gc: { ...GC, ...options.config?.gc },
    limits: { ...LIMITS, ...options.config?.limits },
  };
  await bootstrapAdmin(db, { password: ADMIN.password });
  const masterKey = randomBytes(32);
  const running: Running[] = [await serve(config, masterKey)];

  const assertNothingLeft = async () => {
    const left = [...(await leftovers(db)), ...(await withoutOwner(db, await store.keys()))];
    if (left.length > 0) throw new Error(`Left over:\n${left.join('\n')}`);
  };

  afterAll(async () => {
    try {
      await assertNothingLeft();
    } finally {
      closeConnections();
      for (const one of running) await close(one);
      await store.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  const client = (credentials: Credentials, transport: 'bearer' | 'basic' = 'bearer') =>
    new OciClient({ origin, credentials, transport });
  const api = (method: string, path: string, body?: unknown) =>
    send(origin, {
      method,
      path: `/api/v1${path}`,
      headers: { Authorization: basic(ADMIN), 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const hub: TestHub = {
    origin,
    config,
    context: (running[0] as Running).context,
    db,
    s3: store.s3,
    admin: client(ADMIN),
    adminCredentials: ADMIN,
    stranger: new OciClient({ origin, transport: 'none' }),
    anonymous: new OciClient({ origin }),
    client,
    api,
    assertNothingLeft,
    async replica() {
      running.push(await serve({ ...config, port: ports[1] }, masterKey));
      return new OciClient({ origin: replicaOrigin, credentials: ADMIN });
    },
    async person() {
      const credentials = { username: unique('user-'), password: unique('password-') };
      await succeed(api('POST', '/users', { name: credentials.username, password: credentials.password }));
      return { name: credentials.username, credentials, client: client(credentials) };
    },
    async project({ name = unique('p'), visibility = 'private', allowSparse, grants = {} } = {}) {
      await succeed(api('POST', '/projects', { name, visibility }));
      if (allowSparse !== undefined) await succeed(api('PATCH', `/projects/${name}`, { allow_sparse: allowSparse }));
      for (const [user, role] of Object.entries(grants)) {
        await succeed(api('PUT', `/projects/${name}/grants`, { subject: user, role }));
      }
      return name;
    },
    async repo(projectOptions) {
      return hub.admin.repo(`${await hub.project(projectOptions)}/app`);
    },
  };
  return hub;
}

async function succeed(call: Promise<Answer>): Promise<void> {
  const answer = await call;
  if (answer.status >= 300)
    throw new Error(`arranging failed: ${answer.status} ${answer.body.toString('utf8', 0, 500)}`);
}

const SESSIONS: Config['sessions'] = { idle: 3_600, life: 43_200 };

/** The defaults. */
const GC: Config['gc'] = { undo: 7 * 86_400, delay: 3_600, bytesDelay: 86_400, lease: 48 * 3_600 };

const LIMITS: Config['limits'] = {
  blob: 10 * 2 ** 30,
  uploadIdleSeconds: 86_400,
  bodyIdleSeconds: 60,
  bodyMinRate: 1_024,
};

function defaults(folder: string, port: number, url: string, store: Config['store']): Omit<Config, 'publicUrls'> {
  return {
    host: '127.0.0.1',
    port,
    dataDir: folder,
    workers: 1,
    jobs: false,
    drainSeconds: 5,
    logLevel: 'silent',
    database: { kind: 'external', url },
    store,
    verifyReads: false,
    projectCreation: 'users',
    apiRate: 0,
    auditDays: 400,
    trustedProxies: [],
    sessions: SESSIONS,
    gc: GC,
    limits: LIMITS,
  };
}

interface Running {
  readonly server: Server;
  readonly context: Context;
}

async function serve(config: Config, masterKey: Buffer): Promise<Running> {
  const context = await createContext(config, { masterKey });
  const server = createServer(context);
  server.listen(config.port, '127.0.0.1');
  await once(server, 'listening');
  return { server, context };
}

async function close({ server, context }: Running): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  await context[Symbol.asyncDispose]();
}
