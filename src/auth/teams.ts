/**
 * Teams: people who have a right together. Administrators say who is in one, and so does each sign-in through which groups
 * come; each takes back only what it said itself. Every change raises the epoch of those it is about.
 */
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isAccountName } from './names.ts';
import { bumpPrincipal } from './queries/accounts.ts';
import * as rows from './queries/teams.ts';

export interface Team {
  readonly id: number;
  readonly name: string;
  readonly members: number;
  readonly createdAt: Date;
}

export interface Member {
  readonly id: number;
  readonly name: string;
  /** `local`, or the names of the providers whose groups say so. */
  readonly sources: readonly string[];
}

/** What an administrator says, as opposed to a provider, whose name cannot be this. */
export const LOCAL = 'local';

/** @throws {AccountError} name-invalid, name-taken */
export async function createTeam(db: Database, name: string, actor: Actor): Promise<Team> {
  if (!isAccountName(name)) {
    throw new AccountError(
      'name-invalid',
      'A team is named with at most 64 lower-case letters and digits, with single . _ or - between them.',
    );
  }
  return db.transaction(async (tx) => {
    const team = await rows.insertTeam(tx, name);
    if (team === undefined) throw new AccountError('name-taken', `There is a team ${name} already.`);
    await recordChange(tx, actor, { type: 'team.created', data: { team: name } });
    return team;
  });
}

/** By name, in byte order. */
export function listTeams(db: Queryable, page: { readonly after?: string; readonly limit: number }): Promise<Team[]> {
  return rows.selectTeams(db, page.after, page.limit);
}

export function findTeam(db: Queryable, name: string): Promise<Team | undefined> {
  return rows.selectTeam(db, name);
}

/** The names of the teams that someone is in. */
export function teamsOf(db: Queryable, principalId: number): Promise<string[]> {
  return rows.selectTeamsOf(db, principalId);
}

/**
 * Removes the team with all that was granted to it.
 * @throws {AccountError} not-found
 */
export async function removeTeam(db: Database, name: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const team = await lockTeam(tx, name);
    await rows.bumpMembers(tx, team);
    await rows.deleteTeam(tx, team);
    await recordChange(tx, actor, { type: 'team.removed', data: { team: name } });
  });
}

/** By name, in byte order. @throws {AccountError} not-found when there is no such team */
export async function listMembers(
  db: Queryable,
  team: string,
  page: { readonly after?: string; readonly limit: number },
): Promise<Member[]> {
  const found = await rows.selectTeam(db, team);
  if (found === undefined) throw noTeam(team);
  return rows.selectMembers(db, found.id, page.after, page.limit);
}

/** Says that someone is in the team, whatever providers say. @throws {AccountError} not-found, subject-unknown */
export async function addMember(db: Database, team: string, user: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const teamId = await lockTeam(tx, team);
    const member = await rows.selectPerson(tx, user);
    if (member === undefined) throw new AccountError('subject-unknown', `There is no user ${JSON.stringify(user)}.`);
    if (!(await rows.insertMembership(tx, teamId, member, LOCAL))) return;
    await bumpPrincipal(tx, member);
    await recordChange(tx, actor, { type: 'team.member-added', data: { team, user, source: LOCAL } });
  });
}

/**
 * Takes back what an administrator said. Who is in the team through a provider's groups stays until the groups change.
 * @throws {AccountError} not-found
 */
export async function removeMember(db: Database, team: string, user: string, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    const teamId = await lockTeam(tx, team);
    const member = await rows.selectPerson(tx, user);
    if (member === undefined || !(await rows.deleteMembership(tx, teamId, member, LOCAL))) {
      throw new AccountError('not-found', `Nobody but a provider says that ${user} is in the team ${team}.`);
    }
    await bumpPrincipal(tx, member);
    await recordChange(tx, actor, { type: 'team.member-removed', data: { team, user, source: LOCAL } });
  });
}

/**
 * What a sign-in's groups say: its memberships are exactly these teams from now on, as far as they exist.
 * @param source the provider's name
 * @returns whether anything changed
 */
export async function syncMemberships(
  tx: Transaction,
  member: { readonly id: number; readonly name: string },
  source: string,
  teams: readonly string[],
): Promise<boolean> {
  const { added, removed } = await rows.replaceMemberships(tx, member.id, source, teams);
  if (added.length === 0 && removed.length === 0) return false;
  await bumpPrincipal(tx, member.id);
  await recordChange(
    tx,
    { id: member.id },
    { type: 'team.synced', data: { user: member.name, source, added, removed } },
  );
  return true;
}

async function lockTeam(tx: Transaction, name: string): Promise<number> {
  const id = await rows.lockTeam(tx, name);
  if (id === undefined) throw noTeam(name);
  return id;
}

function noTeam(name: string): AccountError {
  return new AccountError('not-found', `There is no team ${name}.`);
}
