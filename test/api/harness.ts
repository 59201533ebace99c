/** /api/v1 in a Koa app of its own, on a database of its own, with an administrator and two people. */
import { randomBytes } from 'node:crypto';
import Koa from 'koa';
import sql from 'sql-template-tag';
import request from 'supertest';
import { createRate } from '../../src/api/rate.ts';
import { apiDoor } from '../../src/api/routes.ts';
import type { User } from '../../src/auth/accounts.ts';
import { basic, newUser, ORIGIN, PASSWORD, SESSIONS, testAuth } from '../auth/harness.ts';
import { createMemory } from '../../src/registry/memory.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createScenes } from '../../src/registry/scene.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly request_id: string;
  readonly errors?: readonly { at: string; message: string }[];
}

export async function testApi(options: { projectCreation?: 'users' | 'admins'; rate?: number } = {}) {
  const auth = await testAuth(options);
  const { db, secrets, issuerKeys, authenticator, gate, facts, reported } = auth;
  const app = new Koa();
  app.use((ctx, next) => {
    ctx.state['requestId'] = 'request-id-of-test';
    return next();
  });
  // Bytes are in no test of this folder.
  const registry = { db, gate, scenes: createScenes(db), memory: createMemory(), limits: {} } as unknown as Registry;
  const report = (error: unknown) => reported.push(error);
  const parts = { registry, secrets, issuerKeys, rate: createRate(options.rate ?? 0) };
  app.use(apiDoor({ db, authenticator, gate, facts, publicUrls: [ORIGIN], sessions: SESSIONS, ...parts, report }));
  const callback = app.callback();

  const admin = await newUser(db, { admin: true });
  const jane = await newUser(db);
  const joe = await newUser(db);

  /** @param as a user, the value of an Authorization header, or nobody */
  function call(method: string, path: string, as?: User | string, body?: unknown) {
    const sent = request(callback)[method.toLowerCase() as 'get'](`/api/v1${path}`);
    if (as !== undefined) sent.set('Authorization', typeof as === 'string' ? as : basic(as.name, PASSWORD));
    return body === undefined ? sent : sent.send(body as object);
  }

  /** A new project of the owner's; returns its name. */
  async function project(owner: User, settings: Record<string, unknown> = {}): Promise<string> {
    const name = `p${randomBytes(6).toString('hex')}`;
    await call('POST', '/projects', owner, { name, ...settings }).expect(201);
    return name;
  }

  /** A new personal token; returns the value of the header. */
  async function token(owner: User, limits: { actions: string[]; paths?: string[] }): Promise<string> {
    const { body } = await call('POST', '/me/tokens', owner, { name: 'test', ...limits }).expect(201);
    return `Bearer ${body.token}`;
  }

  async function repository(path: string): Promise<void> {
    await db.query(sql`
      insert into repositories (project_id, path)
      select id, ${path} from projects where name = ${path.split('/')[0]}`);
  }

  return { ...auth, ...parts, callback, call, project, token, repository, admin, jane, joe };
}
