/** Notes when tokens and sessions were last used, at most once a minute each, beside the requests that use them. */
import { counted } from '../cache/counted.ts';

export interface LastUsed {
  /** Returns at once; the row follows within a moment. */
  touch(id: number): void;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>;
}

const EVERY_MS = 60_000;

/** @param write sets the time in these rows */
export function createLastUsed(
  write: (ids: readonly number[]) => Promise<void>,
  now: () => number = () => performance.now(),
): LastUsed {
  const noted = counted<number, number>(100_000);
  let pending = new Set<number>();
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (pending.size > 0) {
      const ids = [...pending];
      pending = new Set();
      // When Postgres is away the note is lost, and the next use a minute later is noted again.
      await write(ids).catch(() => {});
    }
    writing = undefined;
  }

  return {
    touch(id) {
      const before = noted.get(id);
      if (before !== undefined && now() - before < EVERY_MS) return;
      noted.set(id, now());
      pending.add(id);
      writing ??= writeAll();
    },
    async settled() {
      await writing;
    },
  };
}
