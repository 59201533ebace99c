import { beforeEach, expect, test } from 'vitest';
import { createAttempts, type Attempts } from '../../src/auth/attempts.ts';
import { TooManyAttempts } from '../../src/auth/errors.ts';

let clock = 0;
let attempts: Attempts;
let checks = 0;
beforeEach(() => {
  clock = 1_000;
  checks = 0;
  attempts = createAttempts(() => clock);
});

const guess = (right: boolean, account = 'jane', address = '192.0.2.1') =>
  attempts.guard(account, address, async () => {
    checks++;
    return right || undefined;
  });
const wait = async (): Promise<number> => {
  const error: unknown = await guess(false).catch((reason: unknown) => reason);
  return error instanceof TooManyAttempts ? error.retryAfterSeconds : 0;
};

test('five wrong ones are free; then each costs a wait that doubles, up to a minute', async () => {
  for (let i = 0; i < 5; i++) expect(await guess(false)).toBeUndefined();
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    expect(await wait()).toBe(seconds);
    clock += seconds * 1_000;
    expect(await guess(false)).toBeUndefined();
  }
  expect(checks).toBe(13);
});

test('a right one forgets the wrong ones', async () => {
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 4; i++) await guess(false);
    expect(await guess(true)).toBe(true);
  }
});

test('the owner gets in from elsewhere, however many guesses come from one address', async () => {
  for (let i = 0; i < 5; i++) await guess(false);
  await expect(guess(true)).rejects.toBeInstanceOf(TooManyAttempts);
  expect(await guess(true, 'jane', '198.51.100.7')).toBe(true);
  expect(await guess(true, 'joe')).toBe(true);
});

test('1,000 at once are no more than five', async () => {
  const results = await Promise.allSettled(Array.from({ length: 1_000 }, () => guess(false)));
  expect(checks).toBe(5);
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(995);
  clock += 1_001;
  await Promise.allSettled(Array.from({ length: 1_000 }, () => guess(false)));
  expect(checks).toBe(6);
});

test('an outage is no wrong guess', async () => {
  for (let i = 0; i < 20; i++) {
    await expect(attempts.guard('jane', '192.0.2.1', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  }
  expect(await guess(true)).toBe(true);
});

test('after a quarter of an hour all is forgotten', async () => {
  for (let i = 0; i < 5; i++) await guess(false);
  clock += 1_000 + 15 * 60_000;
  for (let i = 0; i < 5; i++) expect(await guess(false)).toBeUndefined();
});
