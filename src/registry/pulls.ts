/**
 * Pulls, counted beside the requests that make them: in memory first, and in Postgres within a minute. What a killed process had
 * not written yet is lost (P1 excepts it); what Postgres did not take is kept and tried again.
 */
import type { Digest } from '../blobs/digest.ts';
import { addPulls, type PulledRow } from './queries/pulls.ts';
import type { Database } from '../db/database.ts';

export interface Pulls extends AsyncDisposable {
  /** Returns at once and asks nothing. */
  note(repositoryId: number, digest: Digest, tag?: string): void;
  /** Writes what was noted so far. */
  flush(): Promise<void>;
}

interface Counted {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly tag: string | undefined;
  count: number;
  /** performance.now() of the last one. */
  last: number;
}

/** Different things pulled between two flushes; what is beyond is not counted. Some 200 bytes each. */
const MOST = 50_000;
/** So many are written at once, without waiting for the minute to pass. */
const FULL = 5_000;
const EVERY_MS = 30_000;

/** @param onError told when pulls could not be written; they are kept, as far as there is room */
export function createPulls(db: Database, onError: (error: unknown) => void): Pulls {
  let noted = new Map<string, Counted>();
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const batch = noted;
    if (batch.size === 0) return;
    noted = new Map();
    try {
      await addPulls(db, rowsOf(batch.values()));
    } catch (error) {
      for (const [key, counted] of batch) merge(key, counted);
      onError(error);
    }
  }

  function merge(key: string, counted: Counted): void {
    const known = noted.get(key);
    if (known) {
      known.count += counted.count;
      known.last = Math.max(known.last, counted.last);
    } else if (noted.size < MOST) noted.set(key, counted);
  }

  function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  function arm(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush().then(() => {
        if (noted.size > 0) arm();
      });
    }, EVERY_MS).unref();
  }

  return {
    note(repositoryId, digest, tag) {
      const key = `${repositoryId} ${digest} ${tag ?? ''}`;
      const known = noted.get(key);
      if (known) {
        known.count++;
        known.last = performance.now();
        return;
      }
      if (noted.size >= MOST) return;
      noted.set(key, { repositoryId, digest, tag, count: 1, last: performance.now() });
      if (noted.size === FULL) void flush();
      arm();
    },
    async flush() {
      await writing;
      await flush();
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await this.flush();
      clearTimeout(timer);
    },
  };
}

function rowsOf(all: Iterable<Counted>): PulledRow[] {
  const now = performance.now();
  return [...all].map(({ last, ...rest }) => ({ ...rest, secondsAgo: (now - last) / 1_000 }));
}
