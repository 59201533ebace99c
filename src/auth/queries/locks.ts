import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

/** Serialises what must happen once among all replicas; any numbers, the same in every version. */
export const LOCKS = { bootstrap: 0x62657201, signingKey: 0x62657202 } as const;

/** Held until the transaction ends. */
export async function lock(tx: Queryable, which: keyof typeof LOCKS): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(${LOCKS[which]})`);
}
