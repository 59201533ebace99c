/** A chart out of its archive: what helm would load, or helm's reason not to. */
import { createLimiter } from '../../auth/limiter.ts';
import { readArchive, type Archive, type ChartFile, type Use } from './archive.ts';
import type { Budget } from './gunzip.ts';
import { CHART_LIMITS } from './limits.ts';
import { readMetadata, type ChartMetadata } from './metadata.ts';
import { ChartRefused } from './refused.ts';
import { parseYaml } from './text.ts';

export interface Chart {
  readonly metadata: ChartMetadata;
  readonly packedAt: Date | undefined;
  /** By path, sub-charts' files included; contents only of those that are read or shown. */
  readonly files: ReadonlyMap<string, ChartFile>;
  /** Chart.lock or requirements.lock, parsed. */
  readonly lock: unknown;
}

/** Too many charts wait to be read: try again. */
export class TooManyCharts extends Error {
  override readonly name = 'TooManyCharts';
}

const readers = createLimiter(
  CHART_LIMITS.readers,
  CHART_LIMITS.waitingReaders,
  () => new TooManyCharts('The hub is busy reading charts; try again in a moment'),
);

/**
 * @throws {ChartRefused}
 * @throws {TooManyCharts}
 */
export function readChart(packed: Buffer): Promise<Chart> {
  return readers.run(async () => {
    if (packed.length > CHART_LIMITS.compressed) {
      throw new ChartRefused(`a chart may have at most ${CHART_LIMITS.compressed} bytes`);
    }
    const { unpacked, entries, kept, allYaml } = CHART_LIMITS;
    const budget: Budget = { unpacked, entries, kept, yaml: allYaml };
    const archive = await readArchive(packed, budget, useOf);
    const loaded = await load(archive.files, budget, 0);
    return { ...loaded, packedAt: archive.packedAt, files: archive.files };
  });
}

/** Of the chart itself what people look at; of its sub-charts what helm looks at. */
function useOf(path: string): Use {
  const own = path.replace(/^(?:charts\/[^/]+\/)+/, '');
  if (/^(?:Chart\.yaml|Chart\.lock|values\.yaml|requirements\.(?:yaml|lock))$/.test(own)) return 'needed';
  if (/^charts\/[^/]+\.tgz$/.test(own)) return 'needed';
  if (own === path && /^(?:values\.schema\.json$|readme(?:\.|$)|templates\/|crds\/)/i.test(path)) return 'shown';
  return undefined;
}

interface Loaded {
  readonly metadata: ChartMetadata;
  readonly lock: unknown;
}

async function load(files: Archive['files'], budget: Budget, depth: number): Promise<Loaded> {
  if (depth > CHART_LIMITS.nesting) throw new ChartRefused(`sub-charts nest deeper than ${CHART_LIMITS.nesting}`);
  const yaml = async (path: string, rules: { uniqueKeys: boolean; wanted: boolean }) => {
    const content = files.get(path)?.content;
    if (content === undefined) return undefined;
    budget.yaml -= content.length;
    if (content.length > CHART_LIMITS.yaml || budget.yaml < 0) {
      throw new ChartRefused(`cannot load ${path}: more than ${CHART_LIMITS.yaml} bytes of YAML`);
    }
    return { file: path, value: await parseYaml(path, decode(path, content), rules) };
  };
  const chart = await yaml('Chart.yaml', { uniqueKeys: true, wanted: true });
  const requirements = await yaml('requirements.yaml', { uniqueKeys: true, wanted: true });
  if (chart === undefined) throw new ChartRefused('Chart.yaml file is missing');
  const metadata = readMetadata(requirements ? [chart, requirements] : [chart]);
  // Go lets the last of equal keys win, and many charts rely on it without knowing.
  await yaml('values.yaml', { uniqueKeys: false, wanted: false });
  const lock =
    (await yaml('Chart.lock', { uniqueKeys: false, wanted: true })) ??
    (await yaml('requirements.lock', { uniqueKeys: false, wanted: true }));
  for (const [name, inner] of subcharts(files)) {
    try {
      await loadSubchart(name, inner, budget, depth);
    } catch (error) {
      if (!(error instanceof ChartRefused)) throw error;
      throw new ChartRefused(`error unpacking subchart ${name} in ${metadata.name}: ${error.message}`);
    }
  }
  return { metadata, lock: lock?.value };
}

async function loadSubchart(name: string, files: Archive['files'], budget: Budget, depth: number): Promise<void> {
  if (!name.endsWith('.tgz')) return void (await load(files, budget, depth + 1));
  const packed = files.get('')?.content;
  if (packed === undefined) throw new ChartRefused(`expected ${name}, got ${[...files.keys()][0] ?? 'nothing'}`);
  const inner = await readArchive(packed, budget, useOf);
  await load(inner.files, budget, depth + 1);
}

/** What lies in `charts/`, by name; a packed one has the empty path. Names with `_` or `.` in front are left alone. */
function subcharts(files: Archive['files']): Map<string, Map<string, ChartFile>> {
  const found = new Map<string, Map<string, ChartFile>>();
  for (const [path, file] of files) {
    const [folder, name, ...rest] = path.split('/');
    if (folder !== 'charts' || name === undefined || /^[_.]/.test(name) || path.endsWith('.prov')) continue;
    // A plain file in charts/ is nobody's chart.
    if (rest.length === 0 && !name.endsWith('.tgz')) continue;
    let inner = found.get(name);
    if (!inner) found.set(name, (inner = new Map()));
    inner.set(rest.join('/'), file);
  }
  return found;
}

function decode(path: string, content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new ChartRefused(`cannot load ${path}: the file is not valid UTF-8`);
  }
}
