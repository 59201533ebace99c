/** Stops somebody in the middle of a transaction: another transaction holds a row that they need next. */
import { setTimeout as delay } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Database, Transaction } from '../../src/db/database.ts';

export interface Brake extends AsyncDisposable {
  /** Rolls the holding transaction back: as if it had never been. */
  release(): Promise<void>;
  /** Commits it. */
  commit(): Promise<void>;
}

class Released extends Error {}

/** Resolves when `hold` has what the others need; it keeps that until it is released. */
export async function brake(db: Database, hold: (tx: Transaction) => Promise<unknown>): Promise<Brake> {
  const held = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const over = db
    .transaction(async (tx) => {
      await hold(tx);
      held.resolve();
      await end.promise;
    })
    .catch((error: unknown) => {
      held.reject(error);
      if (!(error instanceof Released)) throw error;
    });
  await held.promise;
  const release = () => {
    end.reject(new Released());
    return over;
  };
  return {
    release,
    commit() {
      end.resolve();
      return over;
    },
    [Symbol.asyncDispose]: release,
  };
}

/** Resolves when so many sessions of the database wait for a lock. */
export async function untilWaiting(db: Database, sessions = 1): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const row = await db.first<{ waiting: number }>(sql`
      select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    if ((row?.waiting ?? 0) >= sessions) return;
    await delay(10);
  }
  throw new Error(`Nobody waits for a lock, or fewer than ${sessions}`);
}
