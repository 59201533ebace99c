/**
 * Browsers that someone signed in with. A session is a random secret in a cookie, stored as a hash, that ends after some
 * hours whatever happens, and earlier when it is not used. Each sign-in makes a new one: no browser is ever given a session
 * that was known before (session fixation).
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError, InvalidCredentials } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import type { Principal } from './principal.ts';
import { bumpPrincipal } from './queries/accounts.ts';
import * as rows from './queries/sessions.ts';

export interface Session {
  readonly id: number;
  /** Name of the provider that vouched; null: the password that is kept here. */
  readonly provider: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

export interface SessionTimes {
  /** Seconds without a request after which a session is over. */
  readonly idle: number;
  /** Seconds after which it is over in any case. */
  readonly life: number;
}

/** Who signed in just now, how, and from where. */
export interface SignIn {
  readonly principal: Pick<Principal, 'id' | 'name' | 'epoch'>;
  readonly providerId?: number;
  readonly address: string;
  readonly userAgent: string;
}

/** Sessions of one person at a time; beyond these the oldest end. */
const MOST = 100;
const LONGEST_AGENT = 300;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

export function isSessionSecret(text: string): boolean {
  return SECRET.test(text);
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** What a browser's scripts send along with each change: bound to the session, and not to be had from its cookie's name. */
export function csrfTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('berth csrf token').digest('base64url');
}

export function isCsrfTokenOf(secret: string, token: string): boolean {
  const [right, given] = [Buffer.from(csrfTokenOf(secret)), Buffer.from(token)];
  return right.length === given.length && timingSafeEqual(right, given);
}

/**
 * @param old the secret that the browser had before; that session is over
 * @returns the secret of the new one, which is stored nowhere
 * @throws {InvalidCredentials} when something was taken from the person since the credentials were checked
 */
export async function startSession(
  db: Database,
  signIn: SignIn,
  times: SessionTimes,
  { old, requestId }: { readonly old: string | undefined; readonly requestId: string },
): Promise<{ readonly secret: string; readonly session: Session }> {
  const secret = randomBytes(32).toString('base64url');
  const session = await db.transaction(async (tx) => {
    const created = await rows.insertSession(tx, {
      principalId: signIn.principal.id,
      epoch: signIn.principal.epoch,
      secretHash: hashSecret(secret),
      providerId: signIn.providerId ?? null,
      address: signIn.address,
      userAgent: signIn.userAgent.replaceAll(/\p{Cc}/gu, ' ').slice(0, LONGEST_AGENT),
      lifeSeconds: times.life,
      most: MOST,
    });
    if (created === undefined) throw new InvalidCredentials();
    const { id, name } = signIn.principal;
    const data = { user: name, session: created.id, provider: created.provider, address: signIn.address };
    await recordChange(tx, { id, requestId }, { type: 'session.started', data });
    if (old !== undefined) await endBySecret(tx, old, requestId);
    return created;
  });
  return { secret, session };
}

export function findSession(db: Queryable, secret: string): Promise<Session | undefined> {
  return rows.selectSessionByHash(db, hashSecret(secret));
}

/** Live ones, newest first. */
export function listSessions(
  db: Queryable,
  principalId: number,
  times: SessionTimes,
  page: { readonly before?: number; readonly limit: number },
): Promise<Session[]> {
  return rows.selectSessions(db, principalId, times.idle, page.before, page.limit);
}

/** Signs a browser out, at the next request on every replica. */
export async function endSession(db: Database, secret: string, requestId: string): Promise<void> {
  await db.transaction((tx) => endBySecret(tx, secret, requestId));
}

async function endBySecret(tx: Transaction, secret: string, requestId: string): Promise<void> {
  const ended = await rows.deleteSessionByHash(tx, hashSecret(secret));
  if (ended === undefined) return;
  await bumpPrincipal(tx, ended.principalId);
  await recordChange(tx, { id: ended.principalId, requestId }, { type: 'session.ended', data: { session: ended.id } });
}

/** @throws {AccountError} not-found, also for someone else's */
export async function revokeSession(
  db: Database,
  owner: { readonly id: number },
  id: number,
  actor: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await rows.deleteSession(tx, owner.id, id))) throw new AccountError('not-found', 'There is no such session.');
    await bumpPrincipal(tx, owner.id);
    await recordChange(tx, actor, { type: 'session.ended', data: { session: id } });
  });
}

/** All of a person's. */
export async function revokeSessions(
  db: Database,
  owner: { readonly id: number; readonly name: string },
  actor: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const ended = await rows.deleteSessionsOf(tx, owner.id);
    if (ended === 0) return;
    await bumpPrincipal(tx, owner.id);
    await recordChange(tx, actor, { type: 'session.ended', data: { user: owner.name, sessions: ended } });
  });
}

/** A background job: rows that nobody can sign in with any more. */
export function pruneSessions(db: Queryable, times: SessionTimes): Promise<void> {
  return rows.deleteOldSessions(db, times.idle);
}
