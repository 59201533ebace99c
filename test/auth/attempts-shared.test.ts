import sql from 'sql-template-tag';
import { expect, test } from 'vitest';
import { createAttempts, pruneFailures, sharedFailures, type Attempts } from '../../src/auth/attempts.ts';
import { TooManyAttempts } from '../../src/auth/errors.ts';
import { testDatabase } from '../harness/database.ts';

const { db } = await testDatabase();
/** Each is a process of its own, whose clock stands still: whatever passes, passes in Postgres. */
const worker = (): Attempts => createAttempts(() => 1_000, sharedFailures(db));
const guess = (attempts: Attempts, account: string, right: boolean): Promise<true | undefined> =>
  attempts.guard(account, '192.0.2.1', async () => right || undefined);
const pass = (seconds: number) =>
  db.query(sql`
    update sign_in_failures
    set wait_until = wait_until - make_interval(secs => ${seconds}), at = at - make_interval(secs => ${seconds})`);
const waitOf = async (account: string): Promise<number> => {
  const error: unknown = await guess(worker(), account, true).catch((reason: unknown) => reason);
  return error instanceof TooManyAttempts ? error.retryAfterSeconds : 0;
};

test('five wrong ones on any worker are free; then each costs a wait that doubles, up to a minute', async () => {
  for (let i = 0; i < 5; i++) expect(await guess(worker(), 'jane', false)).toBeUndefined();
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    expect(await waitOf('jane')).toBe(seconds);
    await pass(seconds);
    expect(await guess(worker(), 'jane', false)).toBeUndefined();
  }
});

test('a right one forgets the wrong ones everywhere, and writes nothing when there were none', async () => {
  for (let i = 0; i < 4; i++) await guess(worker(), 'joe', false);
  expect(await guess(worker(), 'joe', true)).toBe(true);
  for (let i = 0; i < 4; i++) expect(await guess(worker(), 'joe', false)).toBeUndefined();
  expect(await guess(worker(), 'joe', true)).toBe(true);
  const before = await db.query(sql`select key from sign_in_failures`);
  expect(await guess(worker(), 'jim', true)).toBe(true);
  expect(await db.query(sql`select key from sign_in_failures`)).toEqual(before);
});

test('after a quarter of an hour all is forgotten, and removed', async () => {
  for (let i = 0; i < 5; i++) await guess(worker(), 'june', false);
  await pass(15 * 60 + 2);
  for (let i = 0; i < 5; i++) expect(await guess(worker(), 'june', false)).toBeUndefined();
  expect(await waitOf('june')).toBe(1);
  await pass(15 * 60 + 2);
  await guess(worker(), 'july', false);
  await pruneFailures(db);
  expect(await db.query(sql`select 1 from sign_in_failures`)).toHaveLength(1);
});
