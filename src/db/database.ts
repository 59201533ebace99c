/** The one way to Postgres: prepared statements by text, short transactions, errors that say what a caller can do. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Sql } from 'sql-template-tag';
import { translate } from './errors.ts';

export interface Queryable {
  /** Runs a statement as a named prepared statement: parsed and planned once per connection. */
  query<Row extends object>(statement: Sql): Promise<Row[]>;
  /** The first row, if there is one. */
  first<Row extends object>(statement: Sql): Promise<Row | undefined>;
}

/** A Queryable that is inside a transaction. Asking for it in a signature keeps rows, events and jobs together. */
export interface Transaction extends Queryable {
  readonly inTransaction: true;
}

export interface Database extends Queryable, AsyncDisposable {
  readonly pool: pg.Pool;
  /**
   * Runs `work` in one transaction. Deadlocks and serialisation failures are tried again, at most 3 times in all, so
   * `work` must only touch the database.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface DatabaseOptions {
  readonly connectionString: string;
  readonly maxConnections: number;
  readonly applicationName: string;
  /** Told of idle connections that broke; without a listener a restart of Postgres would end the process. */
  onIdleError(error: Error): void;
  /** What an error that the schema raises on purpose means to callers; undefined for all others. */
  readonly refusalOf?: (error: { readonly code?: unknown; readonly detail?: unknown }) => Error | undefined;
}

const INT8 = 20;

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    // A server that vanished without a word enforces nothing; this is the client's own clock, a little after the other.
    query_timeout: 35_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 15_000,
    types: {
      // Ids and sizes stay far below 2^53.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  pool.on('error', options.onIdleError);
  // One that breaks between two queries of a transaction: the next query says so.
  pool.on('connect', (client) => void client.on('error', () => {}));

  const told = (error: unknown): unknown =>
    options.refusalOf?.(error as { code?: unknown; detail?: unknown }) ?? translate(error);
  const over = (client: pg.Pool | pg.PoolClient): Queryable => ({
    async query<Row extends object>(statement: Sql): Promise<Row[]> {
      try {
        const text = statement.text;
        const result = await client.query<Row & pg.QueryResultRow>({
          name: nameOf(text),
          text,
          values: statement.values,
        });
        return result.rows;
      } catch (error) {
        throw told(error);
      }
    },
    async first<Row extends object>(statement: Sql): Promise<Row | undefined> {
      return (await this.query<Row>(statement))[0];
    },
  });

  async function once<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error: unknown) => {
      throw translate(error);
    });
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work({ ...over(client), inTransaction: true });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw told(error);
    } finally {
      client.release(broken);
    }
  }

  return {
    ...over(pool),
    pool,
    async transaction(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(work);
        } catch (error) {
          if (!isRetryable(error) || attempt === 3) throw error;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}

/** deadlock_detected, serialization_failure */
function isRetryable(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === '40P01' || code === '40001';
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('hex');
    names.set(text, name);
  }
  return name;
}
