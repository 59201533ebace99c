/** A database that notes the plan of every statement that goes through it, as it was when the statement ran. */
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Database, Queryable, Transaction } from '../../src/db/database.ts';
import type { Plan } from './collector.ts';

/** Tables that grow with what is stored: reading one from end to end is a fault. */
const LARGE = ['blobs', 'repository_blobs', 'manifest_blobs', 'manifests', 'manifest_payloads', 'tags', 'deletions'];
/** The plan is noted at these calls of a statement: the first, and one in the middle of the work. */
const CALLS = [1, 40];

export function explaining(database: Database): { db: Database; plans(): Plan[] } {
  const calls = new Map<string, number>();
  const plans = new Map<string, string[]>();
  const over = (inner: Queryable): Queryable => ({
    async query<Row extends object>(statement: Sql): Promise<Row[]> {
      const call = (calls.get(statement.text) ?? 0) + 1;
      calls.set(statement.text, call);
      if (CALLS.includes(call)) {
        // A name of its own, so that the statement itself keeps its plan.
        const rows = await inner.query<{ 'QUERY PLAN': string }>(sql`${raw('explain ')}${statement}`);
        plans.set(
          statement.text,
          rows.map((row) => row['QUERY PLAN']),
        );
      }
      return inner.query<Row>(statement);
    },
    async first<Row extends object>(statement: Sql): Promise<Row | undefined> {
      return (await this.query<Row>(statement))[0];
    },
  });
  const db: Database = {
    ...over(database),
    pool: database.pool,
    transaction: (work) =>
      database.transaction((tx) => work({ ...over(tx), inTransaction: true } satisfies Transaction)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
  return { db, plans: () => [...plans].map(([statement, plan]) => ({ statement, plan })) };
}

/** Lines of plans that read a large table, or one of its partitions, from end to end. */
export function sequentialScans(plans: readonly Plan[]): string[] {
  const pattern = new RegExp(`Seq Scan on (?:${LARGE.join('|')})(?:_\\d+)?\\b`);
  return plans.flatMap(({ plan }) => plan.filter((line) => pattern.test(line)));
}
