/**
 * What index.yaml lists, as a worker remembers it: for each namespace the charts in it, each as the piece of JSON that stands
 * for it. A request first asks Postgres for the namespace's epoch; when it has risen, the charts that changed since are read
 * and no others. So a push is seen by the next request on every replica, and costs one chart's work, not the index's.
 */
import { createHash } from 'node:crypto';
import { constants, deflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database.ts';
import { selectChangedCharts, selectListedVersions, selectNamespace, type ChartVersionRow } from '../queries/charts.ts';
import type { Namespace } from './names.ts';
import { newestFirst } from './versions.ts';

const compress = promisify(deflateRaw);

/** A chart with its versions, newest first. */
export interface ListedChart {
  readonly name: string;
  /** The array of entries. */
  readonly json: Buffer;
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
  /** As it is now: no older than the call. */
  of(namespace: Namespace): Promise<NamespaceIndex>;
}

interface Remembered extends NamespaceIndex {
  readonly epoch: number;
  readonly byRepository: ReadonlyMap<number, ListedChart>;
}

const NOTHING: NamespaceIndex = { charts: [] };

export function createChartIndexes(db: Database, bytes = 64 * 2 ** 20): ChartIndexes {
  const memory = new LRUCache<number, Remembered>({
    maxSize: bytes,
    sizeCalculation: ({ charts }) => charts.reduce((sum, chart) => sum + chart.json.length * 1.2 + 500, 500) | 0,
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
    async of(namespace) {
      const row = await selectNamespace(db, namespace);
      return row ? atLeast(row.id, row.epoch) : NOTHING;
    },
  };
}

async function refresh(db: Database, id: number, epoch: number, known: Remembered | undefined): Promise<Remembered> {
  const byRepository = new Map(known?.byRepository);
  // One that changes between the two queries has a later epoch and is read again by whoever has seen that.
  const changed = await selectChangedCharts(db, id, known?.epoch ?? 0);
  const rows =
    changed.length === 0
      ? []
      : await selectListedVersions(
          db,
          changed.map((chart) => chart.repository_id),
        );
  const versions = Map.groupBy(rows, (row) => row.repository_id);
  for (const { repository_id, name } of changed) {
    const listed = versions.get(repository_id);
    if (listed) byRepository.set(repository_id, listedChart(name, listed));
    else byRepository.delete(repository_id);
  }
  const charts = [...byRepository.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { epoch, byRepository, charts };
}

function listedChart(name: string, rows: ChartVersionRow[]): ListedChart {
  const entries = rows.sort((a, b) => newestFirst(a.version, b.version)).map(entryOf);
  const json = Buffer.from(`[${entries.join(',\n')}]`);
  let packed: Promise<Buffer> | undefined;
  return {
    name,
    json,
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
