/** What transactions of background work do otherwise than those of requests. */
import sql from 'sql-template-tag';
import type { Transaction } from './database.ts';

/**
 * For the rest of the transaction the planner looks rows up by index, whatever it believes about their number: a plan that was
 * made for small tables must not scan large ones. Statements of collection have texts of their own, so no other plan is touched.
 */
export async function lookUpsOnly(tx: Transaction): Promise<void> {
  await tx.query(sql`
    select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)`);
}

/**
 * The commit does not wait for the disk. For work that is done again when a crash forgets it, and by which nothing was decided: no
 * answer, no epoch, nothing outside of Postgres. A report may show for a moment what the crash takes back.
 */
export async function mayBeForgotten(tx: Transaction): Promise<void> {
  await tx.query(sql`select set_config('synchronous_commit', 'off', true)`);
}

/** The commit waits for the disk whatever the server's setting, and so makes everything durable that was committed before it. */
export async function mustBeDurable(tx: Transaction): Promise<void> {
  await tx.query(sql`select set_config('synchronous_commit', 'on', true)`);
}
