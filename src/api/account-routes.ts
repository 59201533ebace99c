/** /me and /users. */
import { changeUser, createUser, findUser, listUsers, type User } from '../auth/accounts.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { isAccountName } from '../auth/names.ts';
import { createPersonalToken, listPersonalTokens, revokePersonalToken } from '../auth/personal-tokens.ts';
import { changeOwnPassword } from '../auth/own-password.ts';
import { listTokens, revokeToken } from '../auth/tokens.ts';
import type { Database } from '../db/database.ts';
import { addressOf } from '../http/client-address.ts';
import { define, type ApiRoute } from './call.ts';
import { hubAdmin, signedIn, withPassword } from './guard.ts';
import { decodeCursor, page, pageOf, pageQuery } from './pages.ts';
import { notFound, Problem } from './problems.ts';
import * as shapes from './shapes.ts';

export function meRoutes(db: Database, authenticator: Authenticator): ApiRoute[] {
  return [
    define('GET', '/me', {
      id: 'me',
      policy: signedIn,
      summary: 'Who this request is signed in as',
      answer: shapes.me,
      run: async ({ principal: { name, kind, admin, credential, limits, expiresAt } }) => ({
        name,
        kind,
        admin,
        credential: credential as 'password' | 'session' | 'token' | 'ci',
        ...(limits && { actions: [...limits.actions] }),
        ...(limits?.paths && { paths: [...limits.paths] }),
        ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
      }),
    }),
    define('PUT', '/me/password', {
      id: 'my-password-change',
      policy: withPassword,
      summary: 'Change your own password; everything signed in with your account ends, personal tokens stay',
      body: shapes.newPassword,
      run: async ({ ctx, principal, actor, body: { current_password: current, new_password: wanted } }) => {
        const user = { name: principal.name, address: addressOf(ctx) };
        const changed = await changeOwnPassword({ db, authenticator }, user, { current, wanted }, actor);
        if (!changed) throw new Problem('wrong-password', 'Send your current password as current_password.');
      },
    }),
    define('GET', '/me/tokens', {
      id: 'my-tokens',
      policy: signedIn,
      summary: 'Your personal tokens, newest first',
      query: pageQuery,
      answer: pageOf(shapes.token),
      run: async ({ principal, query: { limit, cursor } }) => {
        const before = decodeCursor(cursor, 'number');
        const rows = await listPersonalTokens(db, principal.id, {
          limit: limit + 1,
          ...(before !== undefined && { before }),
        });
        return page(rows, limit, (row) => row.id, shapes.showToken);
      },
    }),
    define('POST', '/me/tokens', {
      id: 'my-token-create',
      policy: withPassword,
      summary: 'Make a personal token; it is shown in this answer only',
      body: shapes.newToken,
      status: 201,
      answer: shapes.createdToken,
      run: async ({ actor, body: { name, actions, paths, expires_in_days } }) => {
        const request = { name, actions, ...(paths && { paths }), expiresInDays: expires_in_days };
        const { token, row } = await createPersonalToken(db, request, actor);
        return { ...shapes.showToken(row), token };
      },
    }),
    define('DELETE', '/me/tokens/:token', {
      id: 'my-token-revoke',
      policy: withPassword,
      summary: 'Revoke a personal token of yours, from the next request on',
      run: async ({ actor, params }) => revokePersonalToken(db, idOf(params['token']), actor),
    }),
  ];
}

export function userRoutes(db: Database): ApiRoute[] {
  return [
    define('GET', '/users', {
      id: 'users',
      policy: hubAdmin,
      summary: 'All users, by name',
      query: pageQuery,
      answer: pageOf(shapes.user),
      run: async ({ query: { limit, cursor } }) => {
        const after = decodeCursor(cursor);
        const rows = await listUsers(db, { limit: limit + 1, ...(after !== undefined && { after }) });
        return page(rows, limit, (row) => row.name, shapes.showUser);
      },
    }),
    define('POST', '/users', {
      id: 'user-create',
      policy: hubAdmin,
      summary: 'Make a user',
      body: shapes.newUser,
      status: 201,
      answer: shapes.user,
      run: async ({ actor, body: { name, password, admin } }) =>
        shapes.showUser(await createUser(db, { name, password, admin: admin ?? false }, actor)),
    }),
    define('GET', '/users/:user', {
      id: 'user',
      policy: hubAdmin,
      summary: 'One user',
      answer: shapes.user,
      run: async ({ params }) => shapes.showUser(await requireUser(db, params['user'])),
    }),
    define('PATCH', '/users/:user', {
      id: 'user-change',
      policy: hubAdmin,
      summary: 'Set the password, disable, or appoint as administrator; what is signed in as the user ends',
      body: shapes.userChange,
      answer: shapes.user,
      run: async ({ actor, params, body: { password, admin, disabled } }) => {
        const change = {
          ...(password !== undefined && { password }),
          ...(admin !== undefined && { admin }),
          ...(disabled !== undefined && { disabled }),
        };
        return shapes.showUser(await changeUser(db, nameOf(params['user']), change, actor));
      },
    }),
    define('GET', '/users/:user/tokens', {
      id: 'user-tokens',
      policy: hubAdmin,
      summary: 'The personal tokens of a user, newest first',
      query: pageQuery,
      answer: pageOf(shapes.token),
      run: async ({ params, query: { limit, cursor } }) => {
        const { id } = await requireUser(db, params['user']);
        const before = decodeCursor(cursor, 'number');
        const rows = await listTokens(db, id, { limit: limit + 1, ...(before !== undefined && { before }) });
        return page(rows, limit, (row) => row.id, shapes.showToken);
      },
    }),
    define('DELETE', '/users/:user/tokens/:token', {
      id: 'user-token-revoke',
      policy: hubAdmin,
      summary: 'Revoke a personal token of a user, from the next request on',
      run: async ({ actor, params }) =>
        revokeToken(db, await requireUser(db, params['user']), idOf(params['token']), actor),
    }),
  ];
}

/** @throws {Problem} not-found */
export async function requireUser(db: Database, name: string | undefined): Promise<User> {
  const user = await findUser(db, nameOf(name));
  if (user === undefined) throw notFound();
  return user;
}

/** @throws {Problem} not-found for what cannot be a name */
export function nameOf(text: string | undefined): string {
  if (text === undefined || !isAccountName(text)) throw notFound();
  return text;
}

/** @throws {Problem} not-found for what cannot be an id */
export function idOf(text: string | undefined): number {
  const id = Number(text);
  if (text === undefined || !/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(id)) throw notFound();
  return id;
}
