/**
 * Slows the guessing of passwords: after five wrong ones for an account from one address the next is refused for a second,
 * then two, four … up to a minute. Per address, so that nobody can lock the owner out. Each process counts for itself what is
 * under way, and all of them together, in Postgres, what was wrong: only failures are written.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { counted } from '../cache/counted.ts';
import type { Database } from '../db/database.ts';
import { TooManyAttempts } from './errors.ts';
import * as rows from './queries/failures.ts';

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

/** What every process knows. Without it each only knows its own. */
export interface SharedFailures {
  /** Undefined when nothing was wrong of late. */
  recall(key: Buffer): Promise<Failures | undefined>;
  add(key: Buffer): Promise<Failures>;
  forget(key: Buffer): Promise<void>;
}

export interface Failures {
  readonly wrong: number;
  /** Until the next attempt; not positive: it may come. */
  readonly waitMs: number;
}

const FREE = 5;
const LONGEST_SECONDS = 60;
const FORGET_MS = 15 * 60_000;

export function sharedFailures(db: Database): SharedFailures {
  const rules = { free: FREE, longestSeconds: LONGEST_SECONDS, forgetSeconds: FORGET_MS / 1000 };
  return {
    recall: (key) => rows.selectFailures(db, key, rules),
    add: (key) => rows.addFailure(db, key, rules),
    forget: (key) => rows.deleteFailures(db, key),
  };
}

/** A background job. */
export function pruneFailures(db: Database): Promise<void> {
  return rows.deleteOldFailures(db, FORGET_MS / 1000);
}

export function createAttempts(now: () => number = () => performance.now(), shared?: SharedFailures): Attempts {
  const records = counted<string, Record>(50_000);

  function recall(key: string): Record {
    const record = records.get(key);
    if (record !== undefined && (record.underWay > 0 || now() - record.waitUntil < FORGET_MS)) return record;
    const fresh = { wrong: 0, waitUntil: now(), underWay: 0 };
    records.set(key, fresh);
    return fresh;
  }

  function refuseEarly(record: Record): void {
    const wait = record.waitUntil - now();
    if (wait > 0) throw new TooManyAttempts(Math.ceil(wait / 1000));
  }

  function learn(record: Record, { wrong, waitMs }: Failures): void {
    record.wrong = Math.max(record.wrong, wrong);
    // Below that nobody waits; two statements at once may see each other's clock a moment ahead.
    if (wrong >= FREE) record.waitUntil = Math.max(record.waitUntil, now() + waitMs);
  }

  async function failed(record: Record, key: string): Promise<void> {
    record.wrong++;
    const seconds = record.wrong < FREE ? 0 : Math.min(2 ** (record.wrong - FREE), LONGEST_SECONDS);
    record.waitUntil = now() + seconds * 1000;
    if (shared !== undefined) learn(record, await shared.add(digest(key)));
  }

  return {
    async guard(account, address, check) {
      const key = `${neighbourhood(address)} ${account}`;
      const record = recall(key);
      refuseEarly(record);
      // Guesses sent all at once must not be more than guesses sent one by one.
      if (record.underWay >= Math.max(1, FREE - record.wrong)) throw new TooManyAttempts(1);
      record.underWay++;
      try {
        const known = await shared?.recall(digest(key));
        if (known !== undefined) {
          learn(record, known);
          refuseEarly(record);
        }
        const result = await check();
        if (result === undefined) {
          await failed(record, key);
        } else {
          record.wrong = 0;
          if (known !== undefined) await shared?.forget(digest(key));
        }
        return result;
      } finally {
        record.underWay--;
      }
    },
  };
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
export function neighbourhood(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::')
    ? [...before, ...Array(8 - before.length - after.length).fill('0'), ...after]
    : before;
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** People type passwords where the name belongs, so what is stored says neither. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
