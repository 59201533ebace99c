/** Notes when tokens were last used, at most once a minute each, beside the requests that use them. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../db/database.ts';
import { touchTokens } from './queries/login.ts';

export interface LastUsed {
  /** Returns at once; the row follows within a moment. */
  touch(tokenId: number): void;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>;
}

const EVERY_MS = 60_000;

export function createLastUsed(db: Database, now: () => number = () => performance.now()): LastUsed {
  const noted = new LRUCache<number, number>({ max: 100_000 });
  let pending = new Set<number>();
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (pending.size > 0) {
      const ids = [...pending];
      pending = new Set();
      // When Postgres is away the note is lost, and the token notes itself again a minute later.
      await touchTokens(db, ids).catch(() => {});
    }
    writing = undefined;
  }

  return {
    touch(tokenId) {
      const before = noted.get(tokenId);
      if (before !== undefined && now() - before < EVERY_MS) return;
      noted.set(tokenId, now());
      pending.add(tokenId);
      writing ??= write();
    },
    async settled() {
      await writing;
    },
  };
}
