/**
 * What index.yaml lists, as a worker remembers it: for each namespace the charts in it, each as the piece of JSON that stands
 * for it. A request first asks Postgres for the namespace's epoch; when it has risen, the charts that changed since are read
 * and no others. So a push is seen by the next request on every replica, and costs one chart's work, not the index's.
 */
import { createHash } from 'node:crypto';
import { constants, deflateRaw } from 'node:zlib';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database.ts';
import {
  selectCharts,
  selectListedVersions,
  selectNamespace,
  type ChartRow,
  type ChartVersionRow,
} from '../queries/charts.ts';
import type { Namespace } from './names.ts';
import { sortNewestFirst } from './versions.ts';

const compress = promisify(deflateRaw);

/** A chart with its versions, newest first. */
export interface ListedChart {
  readonly name: string;
  /** The namespace's at its latest change. */
  readonly epoch: number;
  /** The array of entries. */
  readonly json: Buffer;
  /** In the order of the entries. */
  readonly versions: readonly string[];
  entry(index: number): Buffer;
  readonly sha256: Buffer;
  /** When the newest of the versions came. */
  readonly newest: Date;
  /** `"name":<json>`, deflated so that pieces can be put together to one stream. */
  packed(): Promise<Buffer>;
}

export interface NamespaceIndex {
  /** By name, sorted. */
  readonly charts: readonly ListedChart[];
}

export interface ChartIndexes {
  /** As it is now: no older than the call. @param projectId of the project that the namespace is in, whatever it is called */
  of(projectId: number, namespace: Namespace): Promise<NamespaceIndex>;
}

interface Remembered extends NamespaceIndex {
  readonly epoch: number;
  readonly byRepository: ReadonlyMap<number, ListedChart>;
}

const NOTHING: NamespaceIndex = { charts: [] };

export function createChartIndexes(db: Database, bytes = 128 * 2 ** 20): ChartIndexes {
  const memory = new LRUCache<number, Remembered>({
    maxSize: bytes,
    sizeCalculation: ({ charts }) => charts.reduce((sum, chart) => sum + chart.json.length * 2.4 + 500, 500) | 0,
  });
  const underWay = new Map<number, Promise<Remembered>>();

  async function atLeast(id: number, epoch: number): Promise<Remembered> {
    for (;;) {
      const known = memory.get(id);
      if (known && known.epoch >= epoch) return known;
      const running = underWay.get(id);
      if (running) {
        const index = await running;
        if (index.epoch >= epoch) return index;
        continue;
      }
      const work = refresh(db, id, epoch, known).finally(() => underWay.delete(id));
      underWay.set(id, work);
      const index = await work;
      memory.set(id, index);
      return index;
    }
  }

  return {
    async of(projectId, namespace) {
      const row = await selectNamespace(db, projectId, namespace);
      return row ? atLeast(row.id, row.epoch) : NOTHING;
    },
  };
}

async function refresh(db: Database, id: number, epoch: number, known: Remembered | undefined): Promise<Remembered> {
  const rows = await selectCharts(db, id);
  const changed = rows.filter((row) => known?.byRepository.get(row.repository_id)?.epoch !== row.epoch);
  // One that changes between the two queries has a later epoch and is read again by whoever has seen that.
  const ids = changed.map((row) => row.repository_id);
  const versions = Map.groupBy(ids.length === 0 ? [] : await selectListedVersions(db, ids), (row) => row.repository_id);
  const byRepository = new Map<number, ListedChart>();
  for (const [i, row] of rows.entries()) {
    const same = known?.byRepository.get(row.repository_id);
    const isSame = same?.epoch === row.epoch;
    byRepository.set(row.repository_id, isSame ? same : listedChart(row, versions.get(row.repository_id) ?? []));
    // The first reading of a large index takes a while; others get their turns in between.
    if (!isSame && i % CHARTS_A_TURN === 0) await nextTurn();
  }
  const charts = [...byRepository.values()].filter((chart) => chart.versions.length > 0);
  return { epoch, byRepository, charts: charts.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

const CHARTS_A_TURN = 20;

function listedChart({ name, epoch }: ChartRow, rows: readonly ChartVersionRow[]): ListedChart {
  const sorted = sortNewestFirst(rows, (row) => row.version);
  const entries = sorted.map((row) => Buffer.from(entryOf(row)));
  const json = Buffer.concat([OPEN, ...entries.flatMap((entry, i) => (i === 0 ? [entry] : [COMMA, entry])), CLOSE]);
  const starts: number[] = [];
  for (let [i, at] = [0, OPEN.length]; i < entries.length; at += (entries[i++] as Buffer).length + COMMA.length)
    starts.push(at);
  let packed: Promise<Buffer> | undefined;
  return {
    name,
    epoch,
    json,
    versions: sorted.map((row) => row.version),
    entry: (i) => json.subarray(starts[i], (starts[i + 1] ?? json.length - CLOSE.length + COMMA.length) - COMMA.length),
    sha256: createHash('sha256').update(`${name}\n`).update(json).digest(),
    newest: rows.reduce((latest, { created_at }) => (created_at > latest ? created_at : latest), new Date(0)),
    packed: () =>
      (packed ??= compress(Buffer.concat([keyOf(name), json]), { finishFlush: constants.Z_FULL_FLUSH }).catch(
        (error: unknown) => {
          packed = undefined;
          throw error;
        },
      )),
  };
}

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',\n');
const CLOSE = Buffer.from(']');

export function keyOf(name: string): Buffer {
  return Buffer.from(`${JSON.stringify(name)}:`);
}

/** Addresses are relative to the index, so that they hold behind any name and proxy. */
function entryOf({ entry, file, created_at, content }: ChartVersionRow): string {
  const more = JSON.stringify({
    urls: [file],
    created: created_at.toISOString(),
    digest: content.toString('hex', 1),
  });
  return `${entry.slice(0, -1)},${more.slice(1)}`;
}
