/**
 * Denied attempts, on their way into the audit trail. The first of a kind (who, what, in which project) in a minute is written
 * within a second, with all that is known of it; those that follow in the same minute are counted and become one row when it is
 * over. So a client that hammers costs two rows a minute, and nothing that answers a request waits for any of them.
 */
import type { Database } from '../db/database.ts';
import { neighbourhood } from './attempts.ts';
import { insertDenials, type DenialRow } from './queries/audit.ts';

export type Denial = Omit<DenialRow, 'at' | 'count'>;

export interface Denials extends AsyncDisposable {
  note(denial: Denial): void;
  /** Writes what waits, without the counts of the minute under way. */
  flush(): Promise<void>;
}

/** Kinds in one minute, of one process; what is beyond is counted without saying who. */
const MOST_KINDS = 10_000;
/** Names that one address may type in one minute; what is beyond is counted without them, or a stranger could fill the disk. */
const MOST_NAMES = 50;
const FLUSH_MS = 1_000;
const MINUTE_MS = 60_000;

interface Counted {
  readonly first: Denial;
  more: number;
}

/** @param onError told when rows could not be written; they are kept, as far as there is room, and tried again */
export function createDenials(
  db: Database,
  onError: (error: unknown) => void,
  now: () => number = () => Date.now(),
): Denials {
  let kinds = new Map<string, Counted>();
  /** How many there are of one address that nobody is known behind. */
  let strangers = new Map<string, number>();
  let minute = 0;
  let waiting: DenialRow[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function note(noted: Denial): void {
    closeMinute();
    let [denial, key] = [noted, keyOf(noted)];
    const isNew = !kinds.has(key) && kinds.size < MOST_KINDS;
    if (isNew && denial.principal_id === null && isCrowded(denial)) {
      denial = { ...denial, attempted: null };
      key = keyOf({ ...denial, address: neighbourhood(denial.address ?? '') });
    }
    if (!kinds.has(key) && kinds.size >= MOST_KINDS) key = 'beyond';
    const known = kinds.get(key);
    if (known === undefined) {
      kinds.set(key, { first: key === 'beyond' ? anybody(denial) : denial, more: 0 });
      if (key !== 'beyond') push(denial, 1);
    } else known.more++;
    arm();
  }

  function isCrowded({ address }: Denial): boolean {
    const where = neighbourhood(address ?? '');
    const many = (strangers.get(where) ?? 0) + 1;
    strangers.set(where, many);
    return many > MOST_NAMES;
  }

  function closeMinute(): void {
    const current = Math.floor(now() / MINUTE_MS);
    if (current === minute) return;
    closeCounts();
    minute = current;
  }

  function closeCounts(): void {
    for (const { first, more } of kinds.values()) if (more > 0) push({ ...first, request_id: null }, more);
    kinds = new Map();
    strangers = new Map();
  }

  function push(denial: Denial, count: number): void {
    if (waiting.length < 2 * MOST_KINDS) waiting.push({ ...denial, at: new Date(now()).toISOString(), count });
  }

  async function write(): Promise<void> {
    const rows = waiting;
    if (rows.length === 0) return;
    waiting = [];
    try {
      await insertDenials(db, rows);
    } catch (error) {
      waiting = [...rows, ...waiting].slice(0, 2 * MOST_KINDS);
      onError(error);
    }
  }

  function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  /** Ticks as long as there is something to write or to close. */
  function arm(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      closeMinute();
      void flush().then(() => {
        if (waiting.length > 0 || kinds.size > 0) arm();
      });
    }, FLUSH_MS).unref();
  }

  return {
    note,
    flush,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      closeCounts();
      await flush();
      await flush();
      clearTimeout(timer);
    },
  };
}

function keyOf(denial: Denial): string {
  const { principal_id, attempted, address, route, action, project_id } = denial;
  const who = principal_id ?? `${attempted ?? ''}@${address ?? ''}`;
  return JSON.stringify([who, route, action, project_id]);
}

function anybody({ route, action }: Denial): Denial {
  return {
    action,
    reason: 'more than can be told apart',
    principal_id: null,
    principal_kind: null,
    principal_name: null,
    attempted: null,
    credential: null,
    credential_id: null,
    address: null,
    request_id: null,
    route,
    project_id: null,
    project: null,
    repository: null,
    reference: null,
  };
}
