/** The rows and the store side by side, without asking the hub. */
import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { expectations, type Entry } from './journal.ts';

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

export async function withDatabase<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(
      async <Row extends object>(text: string, values: unknown[] = []) => (await client.query<Row>(text, values)).rows,
    );
  } finally {
    await client.end();
  }
}

/** Rows under torture/ that make something visible which nobody has even asked for. */
export async function invented(query: Query, entries: Iterable<Entry>): Promise<string[]> {
  const expected = expectations(entries);
  const blobs = await query<{ path: string; digest: string }>(
    `select r.path, encode(b.digest, 'hex') as digest from repository_blobs rb join repositories r on r.id = rb.repository_id
     join blobs b on b.id = rb.blob_id where rb.deleted_at is null and r.path like 'torture/%'`,
  );
  const manifests = await query<{ path: string; digest: string }>(
    `select r.path, encode(m.digest, 'hex') as digest from manifests m join repositories r on r.id = m.repository_id
     where m.deleted_at is null and r.path like 'torture/%'`,
  );
  const text = (hex: string) => `${hex.startsWith('01') ? 'sha256' : 'sha512'}:${hex.slice(2)}`;
  return [
    ...blobs
      .filter((row) => !expected.get(row.path)?.sentBlobs.has(text(row.digest)))
      .map((row) => `${row.path}: blob ${text(row.digest)} was never sent`),
    ...manifests
      .filter((row) => !expected.get(row.path)?.manifests.has(text(row.digest)))
      .map((row) => `${row.path}: manifest ${text(row.digest)} was never sent`),
  ];
}

/** Objects that no row names, at whatever moment. */
export async function unowned(query: Query, keys: readonly string[]): Promise<string[]> {
  const rows = await query<{ key: string }>(
    'select key from blobs union all select key from uploads union all select key from dead_objects',
  );
  const owned = new Set(rows.map((row) => row.key));
  return keys.filter((key) => !owned.has(key.replace(/\.tail[01]$/, ''))).map((key) => `object ${key} has no owner`);
}

/**
 * Makes every open upload a day old and every dead object due, has the hub's own jobs clean up, and compares: each object
 * is a blob's, each blob has its object.
 */
export async function afterSweep(query: Query, keys: () => Promise<readonly string[]>): Promise<string[]> {
  const left = async (table: string) => (await query<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n;
  const until = async (table: string) => {
    for (const deadline = performance.now() + 60_000; (await left(table)) !== 0; await delay(100)) {
      if (performance.now() > deadline)
        throw new Error(`${await left(table)} rows are left in ${table} after a minute`);
    }
  };
  await query(`update uploads set touched_at = now() - interval '2 days', writer = null, writer_seen = null`);
  // A collector that was killed is waited for no longer.
  await query('update gc_state set runner = null, runner_seen = null');
  await query(`select graphile_worker.add_job('collect-garbage')`);
  await until('uploads');
  await query('update dead_objects set delete_after = now()');
  await query(`select graphile_worker.add_job('sweep-dead-objects')`);
  await until('dead_objects');
  const objects = new Set(await keys());
  const blobs = new Set((await query<{ key: string }>('select key from blobs')).map((row) => row.key));
  return [
    ...[...objects].filter((key) => !blobs.has(key)).map((key) => `object ${key} is left after the sweep`),
    ...[...blobs].filter((key) => !objects.has(key)).map((key) => `blob row without its object ${key}`),
  ];
}
