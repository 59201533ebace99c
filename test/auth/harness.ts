/** The auth module behind a Koa app of its own, on a database of its own. */
import { randomBytes } from 'node:crypto';
import Koa from 'koa';
import sql from 'sql-template-tag';
import { afterAll } from 'vitest';
import { createUser, type User } from '../../src/auth/accounts.ts';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { createGate } from '../../src/auth/gate.ts';
import { createDirectories } from '../../src/auth/directories.ts';
import { createOidc } from '../../src/auth/oidc.ts';
import { providerFetch } from '../../src/auth/provider-fetch.ts';
import { createIssuerKeys } from '../../src/auth/issuer-keys.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import type { Facts, Target } from '../../src/auth/principal.ts';
import { createRegistryTokens } from '../../src/auth/registry-tokens.ts';
import { authDoor } from '../../src/auth/routes.ts';
import { createSecrets } from '../../src/auth/secrets.ts';
import { createVerifiers, type VerifierParts } from '../../src/auth/verifiers.ts';
import type { Database, Queryable } from '../../src/db/database.ts';
import { createOutbound } from '../../src/http/outbound.ts';
import { testDatabase } from '../harness/database.ts';

export const ORIGIN = 'https://hub.example.com';
export const OTHER_ORIGIN = 'http://hub.internal:5000';
export const MASTER_KEY = randomBytes(32);
export const PASSWORD = 'correct horse battery';
export const HUB = { id: 0 };
export const SESSIONS = { idle: 3_600, life: 43_200 };

export interface AuthOptions extends Pick<VerifierParts, 'attempts' | 'now'> {
  readonly projectCreation?: 'users' | 'admins';
}

/** One process's worth of auth over a database; several of them are several replicas. */
export function createAuth(db: Database, options: AuthOptions = {}) {
  const publicUrls = [ORIGIN, OTHER_ORIGIN];
  const secrets = createSecrets(MASTER_KEY);
  const keys = createKeyRing(db, secrets);
  const directories = createDirectories(db, secrets);
  const oidc = createOidc({ db, secrets, fetch: providerFetch(createOutbound()) });
  const tokens = createRegistryTokens(keys, publicUrls);
  const issuerKeys = createIssuerKeys(db, createOutbound());
  const authenticator = createAuthenticator(
    createVerifiers({ sessions: SESSIONS, directories, issuerKeys, origins: publicUrls, ...options, db, tokens }),
    options.now,
  );
  const gate = createGate(db, { projectCreation: options.projectCreation ?? 'users' });
  const facts = createFacts(db);
  const reported: unknown[] = [];
  const app = new Koa();
  app.use((ctx, next) => {
    ctx.state['requestId'] = 'request-id-of-test';
    return next();
  });
  const report = (error: unknown) => reported.push(error);
  app.use(authDoor({ db, oidc, tokens, keys, authenticator, gate, facts, publicUrls, sessions: SESSIONS, report }));
  return { db, secrets, keys, tokens, issuerKeys, authenticator, gate, facts, app, callback: app.callback(), reported };
}

export type Auth = ReturnType<typeof createAuth>;

export async function testAuth(options: AuthOptions = {}) {
  const database = await testDatabase();
  const auth = createAuth(database.db, options);
  afterAll(() => auth.authenticator.settled());
  return { ...auth, ...database };
}

/** The facts as one plain query each. */
export function createFacts(db: Queryable): Facts {
  return async (path, principalId): Promise<Target> => {
    const row = await db.first<{ principalEpoch: number | null; project: NonNullable<Target['project']> | null }>(sql`
      select (select epoch from principals where id = ${principalId} and disabled_at is null) as "principalEpoch",
             (select jsonb_build_object('id', id, 'name', name, 'kind', kind, 'visibility', visibility,
                                        'allowSparse', allow_sparse, 'limited', limited, 'epoch', epoch)
              from projects where name = ${path.split('/')[0]}) as project`);
    return { path, project: row?.project ?? undefined, principalEpoch: row?.principalEpoch ?? 0 };
  };
}

let count = 0;

/** A user with `PASSWORD` and a name of its own. */
export function newUser(db: Database, options: { admin?: boolean } = {}): Promise<User> {
  return createUser(db, { name: `user-${++count}`, password: PASSWORD, ...options }, HUB);
}

export async function newProject(db: Queryable, visibility: 'private' | 'public' = 'private') {
  const name = `project-${++count}`;
  const row = await db.first<{ id: number }>(
    sql`insert into projects (name, visibility) values (${name}, ${visibility}) returning id`,
  );
  return { id: row!.id, name };
}

export interface GrantOptions {
  readonly role: string;
  readonly pathGlob?: string;
  readonly tagGlob?: string;
  readonly createOnly?: boolean;
  /** Seconds from now; negative: over. */
  readonly expiresIn?: number;
}

/** @param subjectId 'everyone' or a principal */
export async function newGrant(
  db: Queryable,
  projectId: number,
  subjectId: number | 'everyone',
  { role, pathGlob = '**', tagGlob, createOnly = false, expiresIn }: GrantOptions,
): Promise<void> {
  await db.query(sql`
    insert into grants (subject_id, project_id, role, path_glob, tag_glob, create_only, expires_at)
    select id, ${projectId}, ${role}, ${pathGlob}, ${tagGlob ?? null}, ${createOnly},
           now() + make_interval(secs => ${expiresIn ?? null})
    from principals where id = ${subjectId === 'everyone' ? 0 : subjectId} or (kind = 'everyone' and ${subjectId === 'everyone'})`);
  await db.query(sql`update projects set epoch = epoch + 1 where id = ${projectId}`);
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export function bearer(token: string): string {
  return `Bearer ${token}`;
}
