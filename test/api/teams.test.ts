import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { syncMemberships } from '../../src/auth/teams.ts';
import { newUser } from '../auth/harness.ts';
import { testApi } from './harness.ts';

const { db, another, call, token, admin, jane, joe, authenticator, reported } = await testApi();
let count = 0;
const epochOf = async (id: number) =>
  (await db.first<{ epoch: number }>(sql`select epoch from principals where id = ${id}`))!.epoch;
const sync = (user: { id: number; name: string }, source: string, teams: string[]) =>
  db.transaction((tx) => syncMemberships(tx, user, source, teams));

async function team(...members: { name: string }[]): Promise<string> {
  const name = `team-${++count}`;
  await call('POST', '/teams', admin, { name }).expect(201);
  for (const member of members) await call('PUT', `/teams/${name}/members/${member.name}`, admin).expect(204);
  return name;
}

const members = async (name: string) => (await call('GET', `/teams/${name}/members`, admin).expect(200)).body.items;

describe('teams', () => {
  test('are made and removed by administrators, and seen by everyone who is signed in', async () => {
    const made = await call('POST', '/teams', admin, { name: 'platform' }).expect(201);
    expect(made.body).toEqual({ name: 'platform', members: 0, created_at: expect.any(String) });
    await call('PUT', `/teams/platform/members/${jane.name}`, admin).expect(204);
    const shown = { ...made.body, members: 1 };
    expect((await call('GET', '/teams/platform', joe).expect(200)).body).toEqual(shown);
    expect((await call('GET', '/teams', joe).expect(200)).body.items).toContainEqual(shown);
    await call('POST', '/teams', admin, { name: 'platform' }).expect(409);
    await call('GET', '/teams').expect(401);
    for (const [method, path, body] of [
      ['POST', '/teams', { name: 'mine' }],
      ['DELETE', '/teams/platform', undefined],
      ['GET', '/teams/platform/members', undefined],
      ['PUT', `/teams/platform/members/${joe.name}`, undefined],
      ['DELETE', `/teams/platform/members/${jane.name}`, undefined],
    ] as const) {
      await call(method, path, jane, body).expect(403);
      await call(method, path, await token(admin, { actions: ['push'] }), body).expect(403);
    }
    await call('DELETE', '/teams/platform', admin).expect(204);
    await call('GET', '/teams/platform', joe).expect(404);
    await call('DELETE', '/teams/platform', admin).expect(404);
    expect(await db.query(sql`select 1 from team_members where member_id = ${jane.id}`)).toEqual([]);
  });

  test.each([{ name: 'Upper' }, { name: 'a b' }, { name: '' }, { name: 'x', id: 1 }, {}])(
    '%j is refused',
    async (body) => {
      await call('POST', '/teams', admin, body).expect(400);
    },
  );

  test('name their members, who know their teams', async () => {
    const name = await team(jane, joe);
    expect(await members(name)).toEqual([jane, joe].map((user) => ({ name: user.name, sources: ['local'] })));
    expect((await call('GET', '/me/teams', joe).expect(200)).body.items).toContainEqual({ name });
    await call('DELETE', `/teams/${name}/members/${joe.name}`, admin).expect(204);
    await call('DELETE', `/teams/${name}/members/${joe.name}`, admin).expect(404);
    expect(await members(name)).toHaveLength(1);
    await call('PUT', `/teams/${name}/members/nobody`, admin).expect(400);
    await call('PUT', `/teams/none/members/${jane.name}`, admin).expect(404);
  });

  test('raise the epoch of those whom a change is about, and of nobody else', async () => {
    const [one, other] = [await newUser(db), await newUser(db)];
    const name = await team(other);
    const before = [await epochOf(one.id), await epochOf(other.id)];
    await call('PUT', `/teams/${name}/members/${one.name}`, admin).expect(204);
    await call('PUT', `/teams/${name}/members/${one.name}`, admin).expect(204);
    expect([await epochOf(one.id), await epochOf(other.id)]).toEqual([before[0]! + 1, before[1]]);
    await call('DELETE', `/teams/${name}/members/${one.name}`, admin).expect(204);
    expect([await epochOf(one.id), await epochOf(other.id)]).toEqual([before[0]! + 2, before[1]]);
    await call('DELETE', `/teams/${name}`, admin).expect(204);
    expect([await epochOf(one.id), await epochOf(other.id)]).toEqual([before[0]! + 2, before[1]! + 1]);
  });
});

describe('the groups of a sign-in', () => {
  test('take back only what they said themselves', async () => {
    const user = await newUser(db);
    const [a, b, c] = [await team(user), await team(), await team()];
    const epoch = await epochOf(user.id);
    expect(await sync(user, 'corp', [a, b, 'no-such-team'])).toBe(true);
    expect(await members(a)).toEqual([{ name: user.name, sources: ['corp', 'local'] }]);
    expect(await members(b)).toEqual([{ name: user.name, sources: ['corp'] }]);
    expect(await epochOf(user.id)).toBe(epoch + 1);
    expect(await sync(user, 'corp', [b, a])).toBe(false);
    expect(await epochOf(user.id)).toBe(epoch + 1);
    await sync(user, 'other', [c]);
    expect(await sync(user, 'corp', [])).toBe(true);
    expect(await members(a)).toEqual([{ name: user.name, sources: ['local'] }]);
    expect(await members(b)).toEqual([]);
    expect(await members(c)).toEqual([{ name: user.name, sources: ['other'] }]);
    await call('DELETE', `/teams/${c}/members/${user.name}`, admin).expect(404);
    expect(await members(c)).toHaveLength(1);
  });

  test('and the removal of a team at the same time leave nobody with an old epoch', async () => {
    const replica = another(4);
    for (let round = 0; round < 20; round++) {
      const user = await newUser(db);
      const name = await team();
      const seen: { epoch: number; member: boolean }[] = [];
      const look = async () => {
        const row = await replica.first<{ epoch: number; member: boolean }>(sql`
          select epoch, exists (select 1 from team_members where member_id = p.id) as member
          from principals p where id = ${user.id}`);
        seen.push(row!);
      };
      const removal = call('DELETE', `/teams/${name}`, admin).expect(204);
      await Promise.all([
        replica.transaction((tx) => syncMemberships(tx, user, 'corp', [name])),
        removal.then(() => undefined),
        look().then(look).then(look),
      ]);
      await look();
      const last = seen.at(-1)!;
      expect(last.member).toBe(false);
      // Whoever was seen as a member is a member no more under a later epoch.
      for (const each of seen) if (each.member) expect(each.epoch).toBeLessThan(last.epoch);
    }
  });
});

describe('what an administrator sees of others', () => {
  test('personal tokens, listed and revoked', async () => {
    const header = await token(joe, { actions: ['pull'] });
    const path = `/users/${joe.name}/tokens`;
    const [row] = (await call('GET', path, admin).expect(200)).body.items;
    expect(row).toMatchObject({ name: 'test', actions: ['pull'] });
    await call('GET', path, jane).expect(403);
    await call('DELETE', `/users/${jane.name}/tokens/${row.id}`, admin).expect(404);
    await call('GET', '/me', header).expect(200);
    await call('DELETE', `${path}/${row.id}`, jane).expect(403);
    await call('DELETE', `${path}/${row.id}`, admin).expect(204);
    await call('GET', '/me', header).expect(401);
    await call('GET', '/users/nobody/tokens', admin).expect(404);
    await authenticator.settled();
  });
});

test('nothing of this was a fault of the hub', () => {
  expect(reported).toEqual([]);
});
