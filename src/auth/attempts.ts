/**
 * Slows the guessing of passwords: after five wrong ones for an account from one address the next is refused for a second,
 * then two, four … up to a minute. In memory of each process, and per address, so that nobody can lock the owner out.
 */
import { LRUCache } from 'lru-cache';
import { TooManyAttempts } from './errors.ts';

export interface Attempts {
  /**
   * Runs `check` and passes on whether the password was right. A check that fails otherwise counts as none.
   * @throws {TooManyAttempts} while the pair has to wait, or has its free attempts under way already
   */
  guard<T>(account: string, address: string, check: () => Promise<T | undefined>): Promise<T | undefined>;
}

interface Record {
  wrong: number;
  waitUntil: number;
  underWay: number;
}

const FREE = 5;
const LONGEST_SECONDS = 60;
const FORGET_MS = 15 * 60_000;

export function createAttempts(now: () => number = () => performance.now()): Attempts {
  const records = new LRUCache<string, Record>({ max: 50_000 });

  function recall(key: string): Record {
    const record = records.get(key);
    if (record !== undefined && (record.underWay > 0 || now() - record.waitUntil < FORGET_MS)) return record;
    const fresh = { wrong: 0, waitUntil: now(), underWay: 0 };
    records.set(key, fresh);
    return fresh;
  }

  return {
    async guard(account, address, check) {
      const key = `${address} ${account}`;
      const record = recall(key);
      const wait = record.waitUntil - now();
      if (wait > 0) throw new TooManyAttempts(Math.ceil(wait / 1000));
      // Guesses sent all at once must not be more than guesses sent one by one.
      if (record.underWay >= Math.max(1, FREE - record.wrong)) throw new TooManyAttempts(1);
      record.underWay++;
      try {
        const result = await check();
        if (result === undefined) {
          record.wrong++;
          const seconds = record.wrong < FREE ? 0 : Math.min(2 ** (record.wrong - FREE), LONGEST_SECONDS);
          record.waitUntil = now() + seconds * 1000;
        } else {
          record.wrong = 0;
        }
        return result;
      } finally {
        record.underWay--;
      }
    },
  };
}
