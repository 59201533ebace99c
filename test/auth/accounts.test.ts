import sql from 'sql-template-tag';
import { describe, expect, test } from 'vitest';
import { bootstrapAdmin, changeUser, createUser, findUser, listUsers } from '../../src/auth/accounts.ts';
import { verifyPassword } from '../../src/auth/passwords.ts';
import { testDatabase } from '../harness/database.ts';
import { HUB, newUser, PASSWORD } from './harness.ts';

const { db, another } = await testDatabase();
const actor = { id: 0, requestId: 'request-1' };

async function epoch(name: string): Promise<number> {
  return (await db.first<{ epoch: number }>(sql`select epoch from principals where kind = 'user' and name = ${name}`))!
    .epoch;
}
const hashOf = async (name: string) =>
  (await db.first<{ hash: string }>(
    sql`select password_hash as hash from users join principals p on p.id = principal_id where name = ${name}`,
  ))!.hash;
const events = (type: string) =>
  db.query<{ data: Record<string, unknown>; request_id: string | null }>(
    sql`select data, request_id from events where type = ${`dev.berth.${type}`} order by id`,
  );

describe('the first administrator', () => {
  test('is made once, however many workers start at the same time, with a password that is told once', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => bootstrapAdmin(another(2))));
    const first = made.filter(({ created }) => created);
    expect(first).toHaveLength(1);
    expect(first[0]!.password).toMatch(/^[2-9A-HJ-NP-Za-km-z]{24}$/);
    expect(made.filter(({ password }) => password !== undefined)).toHaveLength(1);
    expect(await listUsers(db, { limit: 10 })).toMatchObject([{ name: 'admin', admin: true, disabled: false }]);
    expect(await verifyPassword(first[0]!.password!, await hashOf('admin'))).toBe(true);
    expect(await events('user.created')).toEqual([{ data: { user: 'admin', admin: true }, request_id: null }]);
  });

  test('is not made, and not changed, where there are users', async () => {
    const before = await hashOf('admin');
    expect(await bootstrapAdmin(db, { password: 'something else' })).toEqual({ created: false });
    expect(await hashOf('admin')).toBe(before);
  });
});

describe('users', () => {
  test.each(['jane', 'jane.doe', 'j-d_1', '0', 'x'.repeat(64)])('may be called %s', async (name) => {
    expect(await createUser(db, { name, password: PASSWORD }, actor)).toMatchObject({
      name,
      admin: false,
      disabled: false,
    });
  });

  test.each([
    '',
    'Jane',
    'jane doe',
    'jane:x',
    'jane@x',
    '-jane',
    'jane-',
    'a..b',
    'ja\0ne',
    'everyone',
    'anonymous',
    'robot-x',
    'x'.repeat(65),
  ])('may not be called %j', async (name) => {
    await expect(createUser(db, { name, password: PASSWORD }, actor)).rejects.toMatchObject({
      problem: 'name-invalid',
    });
  });

  test('have names of their own, also when two are made at once', async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 5 }, () => createUser(db, { name: 'twin', password: PASSWORD }, actor)),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of made) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ problem: 'name-taken' });
    }
  });

  test('are listed by name, page by page', async () => {
    const all = await listUsers(db, { limit: 1_000 });
    expect(all.map(({ name }) => name)).toEqual(all.map(({ name }) => name).sort());
    const page = await listUsers(db, { after: all[1]!.name, limit: 2 });
    expect(page).toEqual(all.slice(2, 4));
  });
});

describe('changes', () => {
  test.each([
    ['password', { password: 'another password' }],
    ['admin', { admin: true }],
    ['disabled', { disabled: true }],
  ] as const)('of %s raise the epoch and are told', async (what, change) => {
    const { name } = await newUser(db);
    await changeUser(db, name, change, actor);
    expect(await epoch(name)).toBe(2);
    const told = (await events('user.updated')).at(-1)!;
    expect(told.request_id).toBe('request-1');
    expect(told.data).toEqual({
      user: name,
      before: { admin: false, disabled: false },
      after: { admin: what === 'admin', disabled: what === 'disabled' },
      password: what === 'password',
    });
    expect(JSON.stringify(told)).not.toMatch(/argon2|another password/);
  });

  test('that change nothing do nothing', async () => {
    const { name } = await newUser(db);
    await changeUser(db, name, { admin: false, disabled: false }, actor);
    await changeUser(db, name, {}, actor);
    expect(await epoch(name)).toBe(1);
  });

  test('to the same password still end what was signed in', async () => {
    const { name } = await newUser(db);
    await changeUser(db, name, { password: PASSWORD }, actor);
    expect(await epoch(name)).toBe(2);
  });

  test('of nobody fail', async () => {
    await expect(changeUser(db, 'nobody', { admin: true }, actor)).rejects.toMatchObject({ problem: 'not-found' });
    await expect(changeUser(db, 'everyone', { admin: true }, actor)).rejects.toMatchObject({ problem: 'not-found' });
  });

  test('never leave the hub without an administrator, also when two resign at once', async () => {
    await db.query(sql`update users set admin = false`);
    const [one, two] = [await newUser(db, { admin: true }), await newUser(db, { admin: true })];
    const resigned = await Promise.allSettled([
      changeUser(another(1), one.name, { admin: false }, HUB),
      changeUser(another(1), two.name, { disabled: true }, HUB),
    ]);
    expect(resigned.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [left] = (await Promise.all([one, two].map(({ name }) => findUser(db, name)))).filter(
      (user) => user!.admin && !user!.disabled,
    );
    for (const change of [{ admin: false }, { disabled: true }]) {
      await expect(changeUser(db, left!.name, change, HUB)).rejects.toMatchObject({ problem: 'last-admin' });
    }
    await changeUser(db, left!.name, { password: 'a new password' }, HUB);
  });
});
