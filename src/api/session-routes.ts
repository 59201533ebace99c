/** /session and lists of sessions: how a browser signs in and out, and how people and administrators see where. */
import type { Context } from 'koa';
import type { Authenticator } from '../auth/authenticate.ts';
import { giveSession, sessionSecret, takeSession } from '../auth/browser.ts';
import { InvalidCredentials } from '../auth/errors.ts';
import { identify } from '../auth/identify.ts';
import type { Facts, Principal } from '../auth/principal.ts';
import {
  endSession,
  findSession,
  listSessions,
  revokeSession,
  revokeSessions,
  startSession,
  type SessionTimes,
} from '../auth/sessions.ts';
import type { Database } from '../db/database.ts';
import { addressOf } from '../http/client-address.ts';
import { idOf, requireUser } from './account-routes.ts';
import { define, type ApiRoute } from './call.ts';
import { anyone, hubAdmin, signedIn, signingIn, withPassword } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import * as people from './people-shapes.ts';
import { notFound } from './problems.ts';

export interface SessionDoor {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly facts: Facts;
  readonly publicUrls: readonly string[];
  readonly sessions: SessionTimes;
}

export function sessionRoutes(door: SessionDoor): ApiRoute[] {
  const { db, publicUrls, sessions: times } = door;
  /** The session that the request was signed in with, if it was. */
  const current = async (ctx: Context, principal: Principal) => {
    const secret = principal.credential === 'session' ? sessionSecret(ctx, publicUrls) : undefined;
    const session = secret === undefined ? undefined : await findSession(db, secret);
    return secret === undefined || session === undefined ? undefined : { secret, session };
  };

  return [
    define('POST', '/session', {
      id: 'session-start',
      policy: signingIn,
      summary: 'Sign a browser in: the answer sets a cookie, and has the token that each change must send along',
      body: people.credentials,
      status: 201,
      answer: people.startedSession,
      run: async ({ ctx, body: { name, password } }) => {
        const authorization = { scheme: 'basic', username: name, password } as const;
        const address = addressOf(ctx);
        ctx.state['signIn'] = { name };
        const { principal } = await identify(door.authenticator, { authorization, address }, (id) =>
          door.facts('', id),
        );
        // A token is for programs; one that leaked must not become a browser that may do everything.
        if (principal.credential !== 'password') throw new InvalidCredentials();
        Object.assign(ctx.state, { principal });
        const started = await startSession(db, { principal, address, userAgent: ctx.get('User-Agent') }, times, {
          old: sessionSecret(ctx, publicUrls),
          requestId: ctx.state['requestId'] as string,
        });
        giveSession(ctx, publicUrls, started.secret, started.session);
        return people.showStarted(principal, started.secret, started.session, times.idle);
      },
    }),
    define('GET', '/session', {
      id: 'session',
      policy: anyone,
      summary: 'Whether this browser is signed in, and as whom',
      answer: people.sessionState,
      run: async ({ ctx, principal }) => {
        const found = await current(ctx, principal);
        if (found === undefined) return { signed_in: false };
        return { signed_in: true, ...people.showStarted(principal, found.secret, found.session, times.idle) };
      },
    }),
    define('DELETE', '/session', {
      id: 'session-end',
      policy: signedIn,
      summary: 'Sign this browser out, on the server too',
      run: async ({ ctx, principal }) => {
        const found = await current(ctx, principal);
        if (found === undefined) throw notFound();
        await endSession(db, found.secret, ctx.state['requestId'] as string);
        takeSession(ctx, publicUrls);
      },
    }),
    define('GET', '/me/sessions', {
      id: 'my-sessions',
      policy: signedIn,
      summary: 'Where you are signed in, newest first',
      query: pageQuery,
      answer: pageOf(people.session),
      run: async ({ ctx, principal, query: { limit, cursor } }) => {
        const before = decodeCursor(cursor, 'number');
        const rows = await listSessions(db, principal.id, times, {
          limit: limit + 1,
          ...(before !== undefined && { before }),
        });
        const mine = (await current(ctx, principal))?.session.id;
        return page(
          rows,
          limit,
          (row) => row.id,
          (row) => people.showSession(row, row.id === mine),
        );
      },
    }),
    define('DELETE', '/me/sessions', {
      id: 'my-sessions-end',
      policy: withPassword,
      summary: 'Sign out everywhere',
      run: async ({ principal, actor }) => revokeSessions(db, principal, actor),
    }),
    define('DELETE', '/me/sessions/:session', {
      id: 'my-session-end',
      policy: withPassword,
      summary: 'Sign out somewhere',
      run: async ({ principal, actor, params }) => revokeSession(db, principal, idOf(params['session']), actor),
    }),
    define('GET', '/users/:user/sessions', {
      id: 'user-sessions',
      policy: hubAdmin,
      summary: 'Where a user is signed in, newest first',
      query: pageQuery,
      answer: pageOf(people.session),
      run: async ({ params, query: { limit, cursor } }) => {
        const { id } = await requireUser(db, params['user']);
        const before = decodeCursor(cursor, 'number');
        const rows = await listSessions(db, id, times, { limit: limit + 1, ...(before !== undefined && { before }) });
        return page(
          rows,
          limit,
          (row) => row.id,
          (row) => people.showSession(row, false),
        );
      },
    }),
    define('DELETE', '/users/:user/sessions', {
      id: 'user-sessions-end',
      policy: hubAdmin,
      summary: 'Sign a user out everywhere',
      run: async ({ params, actor }) => revokeSessions(db, await requireUser(db, params['user']), actor),
    }),
  ];
}
