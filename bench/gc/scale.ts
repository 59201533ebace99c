/** Collecting a part of very many contents: speed, memory, and what a request notes of it, at two sizes. */
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { collectInProcess, type CollectorResult } from './collector.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { sequentialScans } from './explain.ts';
import { foreground, type Foreground } from './foreground.ts';
import { makeRows, SIZE, type Rows } from './rows.ts';

export interface ScaleOptions {
  readonly blobs: number;
  readonly garbage: number;
  /** Of the small run, as a part of the large one; 0: no small run. */
  readonly part: number;
  readonly folder: string;
  /** Pauses between batches, as a part of their time; what the hub's jobs have. */
  readonly pace: number;
  readonly printPlans: boolean;
}

interface Measured {
  readonly rows: Rows;
  readonly result: CollectorResult;
  readonly before: Foreground;
  readonly during: Foreground;
  readonly scans: readonly string[];
  readonly problems: readonly string[];
}

const BEFORE_MS = 20_000;
const LEAST_PER_SECOND = 1_000;
/** Tables of so few rows may be read from end to end. */
const SMALL = 20_000;

/** @returns what was missed, in sentences */
export async function scale(options: ScaleOptions): Promise<string[]> {
  statSync(options.folder);
  await using cluster = await startCluster(options.folder);
  const small = options.part > 0 ? await measureAt(cluster, 'small', options.part, options) : undefined;
  const large = await measureAt(cluster, 'large', 1, options);
  const problems = [...(small?.problems ?? []), ...large.problems];
  if (small) {
    const ratio = perSecond(large) / perSecond(small);
    console.log(`contents per second at ${large.rows.blobs} against ${small.rows.blobs}: ${ratio.toFixed(2)} ×`);
  }
  const rate = perSecond(large);
  if (rate < LEAST_PER_SECOND) problems.push(`${Math.round(rate)} contents a second, not ${LEAST_PER_SECOND}`);
  return problems;
}

async function measureAt(cluster: Cluster, name: string, part: number, options: ScaleOptions): Promise<Measured> {
  const say = console.log;
  const url = await cluster.database(name);
  const wanted = { blobs: Math.floor(options.blobs * part), garbage: Math.floor(options.garbage * part) };
  say(`\n${wanted.blobs} contents, ${wanted.garbage} of them garbage`);
  const from = performance.now();
  const rows = await makeRows({ url, ...wanted, deletedAt: `now() - interval '20 days'`, say });
  say(`  made in ${Math.round((performance.now() - from) / 1_000)} s; ${await sizeOf(url)}`);
  const before = await foreground(url, rows.blobs, delay(BEFORE_MS));
  const scansBefore = await scans(url);
  const collecting = collectInProcess({ url, explain: true, pace: options.pace });
  const during = await foreground(url, rows.blobs, collecting);
  const result = await collecting;
  const scansAfter = await scans(url);
  const measured = {
    rows,
    result,
    before,
    during,
    scans: [...scansAfter]
      .filter(([table, now]) => now.rows > SMALL && now.scans > (scansBefore.get(table)?.scans ?? 0))
      .map(([table]) => table),
  };
  const problems = [...faults(rows, result, measured.scans), ...(await leftovers(url, rows))];
  print({ ...measured, problems }, options.printPlans);
  await cluster.drop(name);
  return { ...measured, problems };
}

function perSecond({ rows, result }: Measured): number {
  return (rows.garbage + rows.used) / result.seconds;
}

function faults(rows: Rows, result: CollectorResult, scanned: readonly string[]): string[] {
  const { report, deleted, plans } = result;
  const expected: [string, number, number][] = [
    ['images', report.manifests, rows.trash],
    ['links', report.links, rows.garbage],
    ['contents', report.blobs, rows.garbage],
    ['bytes', report.bytes, rows.garbage * SIZE],
    ['objects', report.objects, rows.garbage],
    ['deletes in the store', deleted, rows.garbage],
  ];
  return [
    ...expected.filter(([, is, was]) => is !== was).map(([what, is, was]) => `${is} ${what}, not ${was}`),
    ...scanned.map((table) => `${table} was read from end to end`),
    ...sequentialScans(plans).map((line) => `plan: ${line.trim()}`),
  ];
}

/** What is left is what was not garbage. */
async function leftovers(url: string, rows: Rows): Promise<string[]> {
  const [row] = await ask<{ links: string; dead: string; used: string }>(
    url,
    `select (select count(*) from repository_blobs where leased_until < now()) as links,
            (select count(*) from dead_objects) as dead,
            (select count(*) from link_reviews where review_after < now()) as used`,
  );
  const links = Number(row?.links);
  return [
    ...(links === rows.blobs - rows.garbage ? [] : [`${links} links are left, not ${rows.blobs - rows.garbage}`]),
    ...(row?.dead === '0' ? [] : [`${row?.dead} objects are left`]),
    ...(row?.used === '0' ? [] : [`${row?.used} reviews are left`]),
  ];
}

function print(measured: Measured, plans: boolean): void {
  const { rows, result, before, during } = measured;
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const reviewed = rows.garbage + rows.used;
  console.log(
    `  ${reviewed} contents reviewed, ${result.report.blobs} removed, in ${result.seconds.toFixed(1)} s: ` +
      `${Math.round(perSecond(measured))} a second; ${result.cpuSeconds.toFixed(1)} s of CPU in the collector, ` +
      `which takes ${mib(result.memoryPeak)} at most (${mib(result.memoryBefore)} before it begins)`,
  );
  for (const [name, { count, p50, p99 }] of Object.entries(during)) {
    const idle = before[name as keyof Foreground];
    console.log(
      `  ${name}: p50 ${idle.p50.toFixed(2)} → ${p50.toFixed(2)} ms, p99 ${idle.p99.toFixed(2)} → ${p99.toFixed(2)} ms ` +
        `(× ${(p99 / idle.p99).toFixed(2)}) of ${idle.count} and ${count}`,
    );
  }
  if (plans) {
    for (const { statement, plan } of result.plans)
      console.log(['', statement.trim(), ...plan.map((line) => `    ${line}`)].join('\n'));
  }
}

/** How often each table was read from end to end, and how large it is now. */
async function scans(url: string): Promise<Map<string, { scans: number; rows: number }>> {
  const rows = await ask<{ relname: string; seq_scan: string; rows: string }>(
    url,
    `select relname, seq_scan::text, n_live_tup::text as rows from pg_stat_user_tables`,
  );
  return new Map(rows.map((row) => [row.relname, { scans: Number(row.seq_scan), rows: Number(row.rows) }]));
}

async function sizeOf(url: string): Promise<string> {
  const [row] = await ask<{ size: string }>(url, `select pg_size_pretty(pg_database_size(current_database())) as size`);
  return row?.size ?? '';
}

async function ask<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
