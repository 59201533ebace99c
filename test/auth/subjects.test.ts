/** Grants by kind of subject: whose rights a principal has, and whose it never has. */
import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { createGate } from '../../src/auth/gate.ts';
import { putGrant } from '../../src/auth/grants.ts';
import { ANONYMOUS, type Action, type Principal } from '../../src/auth/principal.ts';
import { listProjects } from '../../src/registry/projects.ts';
import { testDatabase } from '../harness/database.ts';
import { createFacts, HUB, newGrant, newProject, newUser } from './harness.ts';

const { db } = await testDatabase();
const gate = createGate(db, { projectCreation: 'users' });
const facts = createFacts(db);
const ACTIONS = ['pull', 'push', 'delete', 'admin'] as const satisfies readonly Action[];
let count = 0;

async function principal(kind: Principal['kind'], parentId?: number): Promise<Principal> {
  const name = `${kind}-${++count}`;
  const row = await db.first<{ id: number }>(sql`
    insert into principals (kind, name, parent_id) values (${kind}, ${name}, ${parentId ?? null}) returning id`);
  return { kind, id: row!.id, name, admin: false, epoch: 1, credential: 'token' };
}

async function person(): Promise<Principal> {
  const { id, name } = await newUser(db);
  return { kind: 'user', id, name, admin: false, epoch: 1, credential: 'password' };
}

async function join(team: Principal, member: Principal, source = 'local'): Promise<void> {
  await db.query(
    sql`insert into team_members (team_id, member_id, source) values (${team.id}, ${member.id}, ${source})`,
  );
  await bump(member);
}

async function bump({ id }: Principal): Promise<void> {
  await db.query(sql`update principals set epoch = epoch + 1 where id = ${id}`);
}

/** What the gate allows now, as the principal that signs in now, and whether the project is in its list. */
async function may(who: Principal, path: string): Promise<string> {
  const target = await facts(path, who.id);
  const now = who.id === 0 ? who : { ...who, epoch: target.principalEpoch };
  const verdicts = await Promise.all(ACTIONS.map((action) => gate.decide(now, action, target)));
  const listed = await listProjects(db, now, { after: undefined, limit: 1000 });
  const shows = listed.some(({ name }) => name === path.split('/')[0]);
  expect((await gate.sees(now, target)).effect === 'allow').toBe(shows);
  return [...ACTIONS.filter((_, i) => verdicts[i]?.effect === 'allow'), ...(shows ? ['see'] : [])].join(' ');
}

describe('a grant to a team', () => {
  test('is one for each member, as long as it is one', async () => {
    const [jane, joe, team] = [await person(), await person(), await principal('team')];
    const project = await newProject(db);
    await newGrant(db, project.id, team.id, { role: 'writer', pathGlob: 'a/**' });
    await join(team, jane);
    expect(await may(jane, `${project.name}/a/x`)).toBe('pull push see');
    expect(await may(jane, `${project.name}/b/x`)).toBe('see');
    expect(await may(joe, `${project.name}/a/x`)).toBe('');
    await db.query(sql`delete from team_members where team_id = ${team.id}`);
    await bump(jane);
    expect(await may(jane, `${project.name}/a/x`)).toBe('');
  });

  test('counts once for a member that two sources named, and until both take it back', async () => {
    const [jane, team] = [await person(), await principal('team')];
    const project = await newProject(db);
    await newGrant(db, project.id, team.id, { role: 'reader' });
    await join(team, jane);
    await join(team, jane, 'oidc:1');
    await db.query(sql`delete from team_members where team_id = ${team.id} and source = 'local'`);
    await bump(jane);
    expect(await may(jane, `${project.name}/x`)).toBe('pull see');
    await db.query(sql`delete from team_members where team_id = ${team.id}`);
    await bump(jane);
    expect(await may(jane, `${project.name}/x`)).toBe('');
  });

  test('gives nothing while the team is disabled or over', async () => {
    const [jane, team] = [await person(), await principal('team')];
    const project = await newProject(db);
    await newGrant(db, project.id, team.id, { role: 'reader' });
    await join(team, jane);
    for (const change of [sql`disabled_at = now()`, sql`expires_at = now() - interval '1 second'`]) {
      await db.query(sql`update principals set ${change} where id = ${team.id}`);
      await bump(jane);
      expect(await may(jane, `${project.name}/x`)).toBe('');
      await db.query(sql`update principals set disabled_at = null, expires_at = null where id = ${team.id}`);
      await bump(jane);
      expect(await may(jane, `${project.name}/x`)).toBe('pull see');
    }
  });

  test('ends with the team, also while it is remembered', async () => {
    const [jane, team] = [await person(), await principal('team')];
    const project = await newProject(db);
    await newGrant(db, project.id, team.id, { role: 'reader' });
    await join(team, jane);
    await db.query(sql`update principals set expires_at = now() + interval '1 minute' where id = ${team.id}`);
    let clock = 0;
    const ticking = createGate(db, { projectCreation: 'users' }, () => clock);
    const target = await facts(`${project.name}/x`, jane.id);
    const now = { ...jane, epoch: target.principalEpoch };
    expect((await ticking.decide(now, 'pull', target)).effect).toBe('allow');
    clock += 61_000;
    expect((await ticking.decide(now, 'pull', target)).effect).toBe('deny');
  });
});

describe('a CI session', () => {
  test('has what its trust rule was given, and nothing of who wrote the rule', async () => {
    const owner = await person();
    const rule = await principal('trust_rule', owner.id);
    const session = await principal('ci_session', rule.id);
    const [given, owned] = [await newProject(db), await newProject(db)];
    await newGrant(db, given.id, rule.id, { role: 'writer' });
    await newGrant(db, owned.id, owner.id, { role: 'owner' });
    expect(await may(session, `${given.name}/x`)).toBe('pull push see');
    expect(await may(session, `${owned.name}/x`)).toBe('');
    await db.query(sql`update principals set disabled_at = now() where id = ${rule.id}`);
    await bump(session);
    expect(await may(session, `${given.name}/x`)).toBe('');
  });

  test('follows no other parent', async () => {
    const owner = await person();
    const session = await principal('ci_session', owner.id);
    const project = await newProject(db);
    await newGrant(db, project.id, owner.id, { role: 'owner' });
    expect(await may(session, `${project.name}/x`)).toBe('');
  });
});

test('a robot has its own grants only, whoever made it', async () => {
  const owner = await person();
  const robot = await principal('robot', owner.id);
  const project = await newProject(db);
  await newGrant(db, project.id, owner.id, { role: 'owner' });
  expect(await may(robot, `${project.name}/x`)).toBe('');
  await newGrant(db, project.id, robot.id, { role: 'writer' });
  expect(await may(robot, `${project.name}/x`)).toBe('pull push see');
  expect(await may(robot, 'a-new-project/x')).toBe('');
});

test("everyone's grants are each one's, and for who is not signed in never more than pulling", async () => {
  const project = await newProject(db);
  await newGrant(db, project.id, 'everyone', { role: 'maintainer' });
  for (const who of [await person(), await principal('robot'), await principal('ci_session')]) {
    expect(await may(who, `${project.name}/x`), who.kind).toBe('pull push delete see');
  }
  expect(await may(ANONYMOUS, `${project.name}/x`)).toBe('pull see');
});

test('subjects are named by type and name; a bare name is a user', async () => {
  const [jane, team, robot, rule] = [
    await person(),
    await principal('team'),
    await principal('robot'),
    await principal('trust_rule'),
  ];
  const project = await newProject(db);
  await db.query(sql`update principals set name = ${jane.name} where id = ${team.id}`);
  const give = (subject: string, subjectType?: 'user' | 'team' | 'robot' | 'trust_rule' | 'everyone') =>
    putGrant(db, project.id, { subject, role: 'reader', ...(subjectType && { subjectType }) }, HUB);
  expect(await give(jane.name)).toMatchObject({ subject: jane.name, subjectType: 'user' });
  expect(await give(jane.name, 'team')).toMatchObject({ subject: jane.name, subjectType: 'team' });
  expect(await give(robot.name, 'robot')).toMatchObject({ subject: robot.name, subjectType: 'robot' });
  expect(await give(rule.name, 'trust_rule')).toMatchObject({ subjectType: 'trust_rule' });
  expect(await give('everyone')).toMatchObject({ subject: 'everyone', subjectType: 'everyone' });
  expect(await give('everyone', 'everyone')).toMatchObject({ subjectType: 'everyone' });
  await expect(give(robot.name)).rejects.toThrow(`There is no user "${robot.name}".`);
  await expect(give(jane.name, 'trust_rule')).rejects.toThrow('There is no trust rule');
  await expect(give('everyone', 'user')).rejects.toThrow('There is no user');
});
