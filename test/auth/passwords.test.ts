import { describe, expect, test } from 'vitest';
import { TooManyAttempts } from '../../src/auth/errors.ts';
import { createLimiter } from '../../src/auth/limiter.ts';
import { hashPassword, verifyPassword } from '../../src/auth/passwords.ts';

describe('hashes', () => {
  test('are argon2id with 19 MiB, two passes, one lane, and a salt of their own', async () => {
    const [one, two] = await Promise.all([hashPassword('the same one'), hashPassword('the same one')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await verifyPassword('the same one', one)).toBe(true);
    expect(await verifyPassword('the same One', one)).toBe(false);
  });

  test('take either way of composing a character', async () => {
    const hash = await hashPassword('m\u00fcller-stra\u00dfe');
    expect(await verifyPassword('mu\u0308ller-stra\u00dfe', hash)).toBe(true);
  });

  test('refuse passwords of fewer than 8 characters or more than 1,024 bytes', async () => {
    await expect(hashPassword('1234567')).rejects.toMatchObject({ problem: 'password-too-short' });
    await expect(hashPassword('\u{1f511}'.repeat(7))).rejects.toMatchObject({ problem: 'password-too-short' });
    await expect(hashPassword('x'.repeat(1_025))).rejects.toMatchObject({ problem: 'password-too-long' });
    expect(await verifyPassword('x'.repeat(1_024), await hashPassword('x'.repeat(1_024)))).toBe(true);
    expect(await verifyPassword('x'.repeat(1_000_000), await hashPassword('x'.repeat(1_024)))).toBe(false);
  });
});

describe('the work', () => {
  test('of an unknown user is that of a known one with a wrong password', async () => {
    const hash = await hashPassword('a password of someone');
    const cpu = async (phc: string | undefined) => {
      const times: number[] = [];
      for (let i = 0; i < 15; i++) {
        const start = process.cpuUsage();
        await verifyPassword('not it at all', phc);
        const { user, system } = process.cpuUsage(start);
        times.push(user + system);
      }
      return Math.min(...times);
    };
    await cpu(undefined);
    const [unknown, known] = [await cpu(undefined), await cpu(hash)];
    expect(unknown).toBeGreaterThan(known / 2);
    expect(unknown).toBeLessThan(known * 2);
  });

  test('is never right for an unknown user', async () => {
    expect(await verifyPassword('', undefined)).toBe(false);
  });

  test('waits in a queue of 50 behind two at once; the next one is refused at once', async () => {
    const all = Array.from({ length: 60 }, () => verifyPassword('flood', undefined));
    const results = await Promise.allSettled(all);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(8);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(TooManyAttempts);
    expect(await verifyPassword('afterwards', undefined)).toBe(false);
  });
});

test('a limiter never runs more than it may, and frees the place of a task that fails', async () => {
  const limiter = createLimiter(2, 10, () => new Error('full'));
  let running = 0;
  let most = 0;
  const task = async (fail: boolean) => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    if (fail) throw new Error('failed');
  };
  const results = await Promise.allSettled(Array.from({ length: 14 }, (_, i) => limiter.run(() => task(i % 3 === 0))));
  expect(most).toBe(2);
  expect(results.filter((result) => result.status === 'rejected' && result.reason.message === 'full')).toHaveLength(2);
  await expect(limiter.run(async () => 'free')).resolves.toBe('free');
});
