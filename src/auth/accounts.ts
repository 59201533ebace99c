/** People: their accounts and passwords. Every change that may take something away raises the principal's epoch. */
import { randomInt } from 'node:crypto';
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isUserName } from './names.ts';
import { hashPassword } from './passwords.ts';
import * as rows from './queries/accounts.ts';
import { lock } from './queries/locks.ts';
import { deleteSessionsOf } from './queries/sessions.ts';

export interface User {
  readonly id: number;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** What an administrator may change; what is left out stays. */
export interface UserChange {
  readonly password?: string;
  readonly admin?: boolean;
  readonly disabled?: boolean;
}

const HUB: Actor = { id: 0 };
/** Without what people mistake for something else: 24 of these are 139 bits. */
const READABLE = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/**
 * Makes the first administrator, `admin`, on a hub without users. Several workers may call it at once; one of them makes it.
 * @param options.password taken as it is; without it a random one of 24 characters is made and returned, once
 */
export async function bootstrapAdmin(
  db: Database,
  options: { readonly password?: string } = {},
): Promise<{ readonly created: boolean; readonly password?: string }> {
  if (await rows.anyUser(db)) return { created: false };
  const password = options.password ?? Array.from({ length: 24 }, () => READABLE[randomInt(READABLE.length)]).join('');
  const passwordHash = await hashPassword(password);
  return db.transaction(async (tx) => {
    await lock(tx, 'bootstrap');
    if (await rows.anyUser(tx)) return { created: false };
    await insert(tx, { name: 'admin', passwordHash, admin: true }, HUB);
    return options.password === undefined ? { created: true, password } : { created: true };
  });
}

/** @throws {AccountError} name-invalid, name-taken, password-too-short, password-too-long */
export async function createUser(
  db: Database,
  user: { readonly name: string; readonly password: string; readonly admin?: boolean },
  actor: Actor,
): Promise<User> {
  if (!isUserName(user.name)) {
    throw new AccountError(
      'name-invalid',
      'A user is named with at most 64 lower-case letters and digits, with single . _ or - between them, and not robot-….',
    );
  }
  const passwordHash = await hashPassword(user.password);
  return db.transaction((tx) => insert(tx, { name: user.name, passwordHash, admin: user.admin ?? false }, actor));
}

async function insert(
  tx: Transaction,
  user: { name: string; passwordHash: string; admin: boolean },
  actor: Actor,
): Promise<User> {
  const created = await rows.insertUser(tx, user);
  if (created === undefined) throw new AccountError('name-taken', `There is a user ${user.name} already.`);
  await recordChange(tx, actor, { type: 'user.created', data: { user: created.name, admin: created.admin } });
  return created;
}

/** By name, in byte order. */
export function listUsers(db: Queryable, page: { readonly after?: string; readonly limit: number }): Promise<User[]> {
  return rows.selectUsers(db, page.after, page.limit);
}

export function findUser(db: Queryable, name: string): Promise<User | undefined> {
  return rows.selectUser(db, name);
}

/**
 * Changes an account and ends every session and token that rests on what it was.
 * @throws {AccountError} not-found, last-admin, password-too-short, password-too-long
 */
export async function changeUser(db: Database, name: string, change: UserChange, actor: Actor): Promise<User> {
  const passwordHash = change.password === undefined ? undefined : await hashPassword(change.password);
  return db.transaction(async (tx) => {
    const admins = await rows.lockAdmins(tx);
    const before = await rows.lockUser(tx, name);
    if (before === undefined) throw new AccountError('not-found', `There is no user ${name}.`);
    const after = { ...before, admin: change.admin ?? before.admin, disabled: change.disabled ?? before.disabled };
    if (admins.length === 1 && admins[0] === before.id && (!after.admin || after.disabled)) {
      throw new AccountError(
        'last-admin',
        `${name} is the last administrator who can sign in; appoint another one first.`,
      );
    }
    const changed = after.admin !== before.admin || after.disabled !== before.disabled || passwordHash !== undefined;
    if (!changed) return before;
    await rows.updateUser(tx, before.id, { passwordHash, admin: after.admin, disabled: after.disabled });
    await deleteSessionsOf(tx, before.id);
    await rows.bumpPrincipal(tx, before.id);
    await recordChange(tx, actor, {
      type: 'user.updated',
      data: {
        user: name,
        before: { admin: before.admin, disabled: before.disabled },
        after: { admin: after.admin, disabled: after.disabled },
        password: passwordHash !== undefined,
      },
    });
    return after;
  });
}
