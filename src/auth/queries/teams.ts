import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface TeamRow {
  id: number;
  name: string;
  members: number;
  createdAt: Date;
}

const COLUMNS = sql`p.id, p.name, p.created_at as "createdAt",
  (select count(distinct member_id) from team_members where team_id = p.id) as members`;

/** Undefined when the name is taken. */
export function insertTeam(tx: Queryable, name: string): Promise<TeamRow | undefined> {
  return tx.first<TeamRow>(sql`
    insert into principals (kind, name) values ('team', ${name}) on conflict do nothing
    returning id, name, created_at as "createdAt", 0 as members`);
}

/** By name, in byte order, after `after`. */
export function selectTeams(db: Queryable, after: string | undefined, limit: number): Promise<TeamRow[]> {
  return db.query<TeamRow>(sql`
    select ${COLUMNS} from principals p where p.kind = 'team' and p.name > ${after ?? ''} order by p.name limit ${limit}`);
}

export function selectTeam(db: Queryable, name: string): Promise<TeamRow | undefined> {
  return db.first<TeamRow>(sql`select ${COLUMNS} from principals p where p.kind = 'team' and p.name = ${name}`);
}

export async function selectTeamsOf(db: Queryable, principalId: number): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select distinct p.name from team_members m join principals p on p.id = m.team_id
    where m.member_id = ${principalId} order by p.name`);
  return rows.map((row) => row.name);
}

/** Locks the team against its removal and against every other change of its members, a sign-in's included. */
export async function lockTeam(tx: Queryable, name: string): Promise<number | undefined> {
  const row = await tx.first<{ id: number }>(
    sql`select id from principals where kind = 'team' and name = ${name} for update`,
  );
  return row?.id;
}

export async function deleteTeam(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from principals where id = ${id} and kind = 'team'`);
}

/** Whatever memory or a registry token remembers of a team's members is void from this commit on. */
export async function bumpMembers(tx: Queryable, teamId: number): Promise<void> {
  await tx.query(sql`
    with members as (
      select id from principals where id in (select member_id from team_members where team_id = ${teamId})
      order by id for no key update
    )
    update principals set epoch = epoch + 1 where id in (select id from members)`);
}

export interface MemberRow {
  id: number;
  name: string;
  sources: string[];
}

/** By name, in byte order, after `after`. */
export function selectMembers(
  db: Queryable,
  teamId: number,
  after: string | undefined,
  limit: number,
): Promise<MemberRow[]> {
  return db.query<MemberRow>(sql`
    select p.id, p.name, array_agg(m.source order by m.source) as sources
    from team_members m join principals p on p.id = m.member_id
    where m.team_id = ${teamId} and p.name > ${after ?? ''} group by p.id, p.name order by p.name limit ${limit}`);
}

export async function selectPerson(db: Queryable, name: string): Promise<number | undefined> {
  const row = await db.first<{ id: number }>(sql`select id from principals where kind = 'user' and name = ${name}`);
  return row?.id;
}

/** False when it was there already. */
export async function insertMembership(
  tx: Queryable,
  teamId: number,
  memberId: number,
  source: string,
): Promise<boolean> {
  const row = await tx.first(sql`
    insert into team_members (team_id, member_id, source) values (${teamId}, ${memberId}, ${source})
    on conflict do nothing returning 1 as done`);
  return row !== undefined;
}

/** False when there was none. */
export async function deleteMembership(
  tx: Queryable,
  teamId: number,
  memberId: number,
  source: string,
): Promise<boolean> {
  const row = await tx.first(sql`
    delete from team_members where team_id = ${teamId} and member_id = ${memberId} and source = ${source}
    returning 1 as done`);
  return row !== undefined;
}

/** Makes the member's teams of that source exactly these; names that no team has are passed over. */
export async function replaceMemberships(
  tx: Queryable,
  memberId: number,
  source: string,
  names: readonly string[],
): Promise<{ added: string[]; removed: string[] }> {
  const row = await tx.first<{ added: string[]; removed: string[] }>(sql`
    with wanted as (
      select id, name from principals where kind = 'team' and name = any(${names}::text[]) order by id for key share
    ), gone as (
      delete from team_members
      where member_id = ${memberId} and source = ${source} and team_id not in (select id from wanted) returning team_id
    ), new as (
      insert into team_members (team_id, member_id, source) select id, ${memberId}, ${source} from wanted
      on conflict do nothing returning team_id
    )
    select array(select name from principals where id in (select team_id from new) order by name) as added,
           array(select name from principals where id in (select team_id from gone) order by name) as removed`);
  return row!;
}

/** What a provider's groups said, when the provider goes. The members' epochs rise. */
export async function dropSource(tx: Queryable, source: string): Promise<void> {
  await tx.query(sql`
    with gone as (delete from team_members where source = ${source} returning member_id),
    members as (
      select id from principals where id in (select member_id from gone) order by id for no key update
    )
    update principals set epoch = epoch + 1 where id in (select id from members)`);
}
