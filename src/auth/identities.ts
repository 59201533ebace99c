/**
 * Who someone that a provider vouches for is here. The link is the pair (issuer, subject), never a name or an e-mail address:
 * those are given to other people, or chosen by their owners.
 */
import { createHash, randomInt } from 'node:crypto';
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError, InvalidCredentials } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isUserName } from './names.ts';
import type { Principal } from './principal.ts';
import { teamsFor, type Provider } from './providers.ts';
import { bumpPrincipal, insertUser } from './queries/accounts.ts';
import * as rows from './queries/identities.ts';
import { deleteSessionsOf } from './queries/sessions.ts';
import { syncMemberships } from './teams.ts';

/** What a provider says about the person who has just signed in there. */
export interface Vouched {
  readonly issuer: string;
  readonly subject: string;
  /** What the person would like to be called. */
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Identity {
  readonly id: number;
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
}

/** Tries for a name with a number behind it before a random one is taken. */
const NUMBERED = 20;

/**
 * Finds or makes the account, and lets the groups decide about teams. A disabled account stays disabled.
 * @throws {InvalidCredentials} when the account is closed, the provider was disabled meanwhile, a required group is missing,
 *   or strangers get no accounts
 */
export async function admit(db: Database, provider: Provider, vouched: Vouched): Promise<Principal> {
  const { groupRules, createsUsers } = provider.settings;
  const welcome =
    groupRules.required.length === 0 || vouched.groups.some((group) => groupRules.required.includes(group));
  const person = await db.transaction(async (tx) => {
    let known = await rows.useIdentity(tx, provider.id, vouched.issuer, vouched.subject);
    if (known === undefined && welcome && createsUsers) {
      // One first sign-in at a time: two of the same person must not make two accounts.
      if (!(await rows.lockEnabled(tx, provider.id))) return undefined;
      known = await rows.useIdentity(tx, provider.id, vouched.issuer, vouched.subject);
      known ??= await create(tx, provider, vouched);
    }
    if (known === undefined || known.closed) return undefined;
    // Whoever has to stay out keeps none of the rights that came from there either.
    const teams = welcome ? teamsFor(groupRules, vouched.groups) : [];
    await syncMemberships(tx, known, provider.name, teams);
    return rows.selectAdmitted(tx, known.id);
  });
  if (person === undefined || !welcome) throw new InvalidCredentials();
  return { kind: 'user', ...person, credential: 'password' };
}

/** Newest first. */
export function listIdentities(db: Queryable, principalId: number): Promise<Identity[]> {
  return rows.selectIdentities(db, principalId);
}

/**
 * The person over there is nobody here from now on, and would get a new account at the next sign-in.
 * @throws {AccountError} not-found
 */
export async function unlinkIdentity(
  db: Database,
  user: { readonly id: number; readonly name: string },
  id: number,
  actor: Actor,
): Promise<void> {
  await db.transaction(async (tx) => {
    const gone = await rows.deleteIdentity(tx, user.id, id);
    if (gone === undefined) throw new AccountError('not-found', 'There is no such identity.');
    await syncMemberships(tx, user, gone.provider, []);
    await deleteSessionsOf(tx, user.id);
    await bumpPrincipal(tx, user.id);
    await recordChange(tx, actor, { type: 'identity.unlinked', data: { user: user.name, ...gone } });
  });
}

async function create(tx: Transaction, provider: Provider, vouched: Vouched): Promise<rows.Known> {
  const wanted = toUserName(vouched);
  for (let attempt = 1; ; attempt++) {
    const suffix = attempt <= NUMBERED ? String(attempt) : String(randomInt(1e9));
    const name = attempt === 1 ? wanted : `${wanted}-${suffix}`;
    const user = await insertUser(tx, { name, passwordHash: null, admin: false });
    if (user === undefined) continue;
    await rows.insertIdentity(tx, { ...vouched, providerId: provider.id, principalId: user.id });
    const data = { user: name, admin: false, provider: provider.name, subject: vouched.subject };
    await recordChange(tx, { id: user.id }, { type: 'user.created', data });
    return { id: user.id, name, closed: false };
  }
}

/** The nearest thing that a user may be called; what comes before an @ when it is an address. */
export function toUserName({ name, issuer, subject }: Pick<Vouched, 'name' | 'issuer' | 'subject'>): string {
  const nearest = (name.split('@', 1)[0] as string)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/[._-]{2,}/g, '-')
    .slice(0, 50)
    .replaceAll(/^[._-]+|[._-]+$/g, '');
  if (isUserName(nearest)) return nearest;
  return `user-${createHash('sha256').update(`${issuer}\0${subject}`).digest('hex').slice(0, 12)}`;
}
