/**
 * The chain that shows tampering. Each row's hash is SHA-256 over the hash before it and the row; one worker at a time links what
 * has come, so that nothing which writes ever waits for another.
 */
import { createHash } from 'node:crypto';
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { canonical } from './audit.ts';
import {
  chainRows,
  deleteOldest,
  insertFromOutbox,
  selectChain,
  selectChained,
  selectUnchained,
  type AuditRow,
} from './queries/audit.ts';

const BATCH = 500;

/** Takes what the outbox has into the trail and links all rows that are not linked yet. Safe to run anywhere, any time. */
export async function chainAudit(db: Database): Promise<void> {
  for (;;) {
    const taken = await db.transaction((tx) => insertFromOutbox(tx, BATCH));
    const linked = await db.transaction(link);
    if (taken < BATCH && linked < BATCH) return;
  }
}

async function link(tx: Transaction): Promise<number> {
  // Whoever comes second waits here, and then sees what the first has linked.
  const { endSeq, endHash } = await selectChain(tx, 'lock');
  const rows = await selectUnchained(tx, BATCH);
  if (rows.length === 0) return 0;
  let hash = endHash;
  const links = rows.map((row, i) => {
    const seq = endSeq + 1 + i;
    hash = hashOf(hash, row, seq);
    return { id: row.id, seq, hash };
  });
  await chainRows(tx, links);
  return rows.length;
}

function hashOf(before: Buffer, row: AuditRow, seq: number): Buffer {
  return createHash('sha256').update(before).update(canonical(row, seq)).digest();
}

/** Removes what is older than `days`; where the chain begins from then on is remembered. */
export async function pruneAudit(db: Database, days: number): Promise<void> {
  for (let gone = BATCH; gone === BATCH;) {
    gone = await db.transaction(async (tx) => {
      await selectChain(tx, 'lock');
      return deleteOldest(tx, days, BATCH);
    });
  }
}

export interface Verified {
  readonly rows: number;
  /** The last row's place and hash: written down elsewhere, it proves later that nothing before was changed. */
  readonly head: { readonly seq: number; readonly hash: string };
  readonly firstAt?: string;
  readonly lastAt?: string;
  /** The first row that does not fit, as a sentence. */
  readonly fault?: string;
}

/**
 * Walks the chain from its beginning.
 * @param noted a head that was written down earlier
 */
export async function verifyAudit(db: Queryable, noted?: { seq: number; hash: string }): Promise<Verified> {
  const chain = await selectChain(db, 'look');
  let head = { seq: chain.startSeq, hash: chain.startHash };
  let rows = 0;
  let firstAt: string | undefined;
  let lastAt: string | undefined;
  const result = (fault?: string): Verified => ({
    rows,
    head: { seq: head.seq, hash: head.hash.toString('hex') },
    ...(firstAt !== undefined && { firstAt }),
    ...(lastAt !== undefined && { lastAt }),
    ...(fault !== undefined && { fault }),
  });
  if (noted !== undefined && noted.seq < chain.startSeq) return result(`row ${noted.seq} is older than what is kept`);
  const differs = () => noted !== undefined && noted.seq === head.seq && noted.hash !== head.hash.toString('hex');
  if (differs()) return result(`row ${head.seq} is not the one that was noted`);
  for (;;) {
    const batch = await selectChained(db, {}, head.seq, BATCH);
    for (const row of batch) {
      const expected = head.seq + 1;
      if (row.seq !== expected && (await selectChain(db, 'look')).startSeq > chain.startSeq)
        return verifyAudit(db, noted);
      if (row.seq !== expected)
        return result(`row ${expected} is missing; the next one is ${row.seq} (id ${row.id}, ${row.at})`);
      const hash = hashOf(head.hash, row, expected);
      if (!hash.equals(row.hash!)) return result(`row ${expected} (id ${row.id}, ${row.at}) is not what was chained`);
      head = { seq: expected, hash };
      rows++;
      firstAt ??= row.at;
      lastAt = row.at;
      if (differs()) return result(`row ${expected} (id ${row.id}, ${row.at}) is not the one that was noted`);
    }
    if (batch.length < BATCH) break;
  }
  // What was linked while we walked lies beyond the end that was read before.
  if (head.seq < chain.endSeq) return result(`row ${head.seq + 1} is missing, and all after it up to ${chain.endSeq}`);
  if (noted !== undefined && noted.seq > head.seq) return result(`row ${noted.seq}, which was noted, is missing`);
  return result();
}
