/** Applies `migrations/*.sql` in order, forward only. Rules: migrations/README.md. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';

const FOLDER = new URL('../../migrations/', import.meta.url);
/** Any number, the same in every version: one migrator at a time per database. */
const LOCK = 0x62657274;

const HOUR_MS = 3_600_000;

type Run = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
}

/**
 * Brings the schema up to date and returns the names that were applied. Safe to run from several replicas at once and to
 * kill at any moment: each file is one transaction, and a rerun goes on where it stopped.
 * @throws when a file that was applied before has changed since
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const wanted = await readMigrations();
  const client = await pool.connect();
  // The pool's own limits are for requests; another replica's migration, or ours, may take as long as it takes.
  const run: Run = (text, values) => client.query({ text, values, query_timeout: HOUR_MS } as pg.QueryConfig);
  try {
    await run(`set lock_timeout = 0; set statement_timeout = 0`);
    await run('select pg_advisory_lock($1)', [LOCK]);
    await client.query(
      `create table if not exists migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from migrations');
    const applied = new Map(rows.map((row) => [row.name, row.sha256]));
    const done: string[] = [];
    for (const migration of wanted) {
      const before = applied.get(migration.name);
      if (before === migration.sha256) continue;
      if (before !== undefined) {
        throw new Error(`${migration.name} was changed after it was applied; migrations are immutable, add a new one`);
      }
      await apply(run, migration);
      done.push(migration.name);
    }
    return done;
  } finally {
    // Closed rather than given back: its settings and its lock end with it.
    client.release(true);
  }
}

/** Names of the migrations that `migrate` would apply. Changes nothing. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  const wanted = await readMigrations();
  const there = await pool.query<{ there: boolean }>(`select to_regclass('migrations') is not null as there`);
  if (!there.rows[0]?.there) return wanted.map(({ name }) => name);
  const { rows } = await pool.query<{ name: string }>('select name from migrations');
  const applied = new Set(rows.map(({ name }) => name));
  return wanted.map(({ name }) => name).filter((name) => !applied.has(name));
}

async function apply(run: Run, migration: Migration): Promise<void> {
  try {
    await run(`begin; set local lock_timeout = '4s'; set local statement_timeout = '10min'`);
    await run(migration.sql);
    await run('insert into migrations (name, sha256) values ($1, $2)', [migration.name, migration.sha256]);
    await run('commit');
  } catch (error) {
    await run('rollback').catch(() => {});
    throw new Error(`${migration.name}: ${(error as Error).message}`, { cause: error });
  }
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, FOLDER), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}
