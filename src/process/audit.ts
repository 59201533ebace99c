/** `berth audit verify`: walks the audit trail's chain and names the first row that does not fit. */
import { chainAudit, verifyAudit } from '../auth/audit-chain.ts';
import type { Reading } from '../config.ts';
import { createLog } from '../log.ts';
import { withDatabase } from './database-access.ts';
import { withMigrated } from './prepare.ts';

/** @param head what an earlier check printed, `seq:hash` */
export async function verifyTrail({ config }: Reading, head: string | undefined): Promise<number> {
  const noted = head === undefined ? undefined : parse(head);
  const {
    rows,
    head: end,
    firstAt,
    lastAt,
    fault,
  } = await withDatabase(config, createLog(config.logLevel, 'audit'), (located) =>
    withMigrated(located, async (db) => {
      await chainAudit(db);
      return verifyAudit(db, noted);
    }),
  );
  const span = firstAt === undefined ? 'no rows' : `${rows} rows from ${firstAt} to ${lastAt}`;
  const verdict =
    fault === undefined ? `The trail is whole: ${span}.` : `The trail was changed: ${fault}. Before it, ${span} fit.`;
  process.stdout.write(`${verdict}\nhead ${end.seq}:${end.hash}\n`);
  return fault === undefined ? 0 : 1;
}

function parse(head: string): { seq: number; hash: string } {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(head) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Error('--head is the number and the hash that an earlier check printed, such as 17:9f86…');
  return { seq: Number(seq), hash };
}
