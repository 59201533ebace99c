/** How the embedded Postgres is set up. Berth writes the files anew at each start. */
import { createHash } from 'node:crypto';
import { chown, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

export type Settings = Readonly<Record<string, string>>;

/** Durable (promise P1), small in memory, and reachable through one private socket only. */
const SETTINGS: Settings = {
  listen_addresses: '',
  port: '5432',
  max_connections: '100',
  unix_socket_permissions: '0700',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '32MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  // Each takes 8 MB while it runs, and they share one allowance of work.
  autovacuum_max_workers: '2',
  max_wal_size: '512MB',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // Processes that have nothing to do here: what is read is mostly in the page cache, and nothing is replicated.
  io_method: 'sync',
  max_logical_replication_workers: '0',
  // The file system of the data folder is usually an SSD's.
  random_page_cost: '1.1',
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_line_prefix: '%m [%p] %a ',
  log_lock_waits: 'on',
  log_min_duration_statement: '2s',
};

const FINGERPRINT = 'berth.fingerprint';

export interface Configuration {
  readonly text: string;
  /** Differs whenever the text or the programs differ; a running Postgres tells its own. */
  readonly fingerprint: string;
}

/** The content of `postgresql.conf`. */
export function configure(options: { socketFolder: string; version: string; settings?: Settings }): Configuration {
  const settings = { ...SETTINGS, unix_socket_directories: options.socketFolder, ...options.settings };
  const body = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  const fingerprint = createHash('sha256').update(options.version).update(body.join('\n')).digest('hex').slice(0, 16);
  const text = [
    '# Written by Berth at each start. Your own settings: "alter system set …".',
    ...body,
    `${FINGERPRINT} = '${fingerprint}'`,
    '',
  ].join('\n');
  return { text, fingerprint };
}

/** Asks a running Postgres for the fingerprint it was started with. */
export const askFingerprint = `select current_setting('${FINGERPRINT}', true) as fingerprint`;

/** Writes the configuration and the rule that whoever may enter the socket's folder may connect. */
export async function writeConfiguration(
  cluster: string,
  configuration: Configuration,
  account: Account,
): Promise<void> {
  for (const [name, content] of [
    ['postgresql.conf', configuration.text],
    ['pg_hba.conf', 'local all all trust\n'],
  ] as const) {
    const path = join(cluster, name);
    if ((await readFile(path, 'utf8').catch(() => undefined)) === content) continue;
    // Renamed into place, so that a crash never leaves half a file.
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    if (account.kind === 'other') await chown(`${path}.new`, account.uid, account.gid);
    await rename(`${path}.new`, path);
  }
}
