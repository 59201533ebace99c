/**
 * What is kept of a chart's content so that nobody has to unpack it again: once for each content, whatever repositories it
 * is in. The summary is what lists need; the texts lie apart, so that reading one does not drag the others along.
 */
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import { insertExtracted, selectExtracted } from '../queries/charts.ts';
import type { ChartFile } from './archive.ts';
import { goJson } from './go-json.ts';
import { CHART_LIMITS } from './limits.ts';
import type { Dependency } from './metadata.ts';
import { readChart, type Chart } from './read.ts';
import { ChartRefused } from './refused.ts';

/** Raise it when more is extracted: older rows then count as missing. */
const VERSION = 1;

export interface ChartSummary {
  readonly name: string;
  readonly version: string;
  /** Chart.yaml as JSON, byte for byte as helm writes it. */
  readonly entry: string;
  /** When it was packed. */
  readonly packedAt: string | undefined;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** What Chart.lock has pinned. */
  readonly locked: readonly Pick<Dependency, 'name' | 'version' | 'repository'>[];
}

/** Helm could not load it, and why. */
export interface Unreadable {
  readonly refused: string;
}

export type TextKind = 'values' | 'schema' | 'readme';

export interface TemplateFile {
  readonly path: string;
  readonly size: number;
  /** Undefined when there was too much to keep. */
  readonly text: string | undefined;
}

/** What is known of the content; undefined when it was not read yet. */
export async function findSummary(db: Queryable, content: Digest): Promise<ChartSummary | Unreadable | undefined> {
  return (await selectExtracted(db, digestToBytes(content), 'chart', VERSION)) as ChartSummary | Unreadable | undefined;
}

export async function findText(db: Queryable, content: Digest, kind: TextKind): Promise<string | undefined> {
  const data = await selectExtracted(db, digestToBytes(content), `chart.${kind}`, VERSION);
  return (data as { text: string } | undefined)?.text;
}

/** Templates and CRDs, by path. */
export async function findTemplates(db: Queryable, content: Digest): Promise<readonly TemplateFile[]> {
  const data = await selectExtracted(db, digestToBytes(content), 'chart.templates', VERSION);
  return (data as { files: TemplateFile[] } | undefined)?.files ?? [];
}

/** Keeps what a chart says, so that a push of it need not read it once more. */
export async function keepChart(db: Queryable, content: Digest, chart: Chart): Promise<void> {
  await keep(db, content, documentsOf(chart));
}

/** Reads a chart that is here and keeps what it says, or that helm could not load it. */
export async function examineChart(db: Queryable, content: Digest, packed: Buffer): Promise<ChartSummary | Unreadable> {
  try {
    const chart = await readChart(packed);
    await keepChart(db, content, chart);
    return summaryOf(chart);
  } catch (error) {
    if (!(error instanceof ChartRefused)) throw error;
    const refused = { refused: error.message };
    await keep(db, content, { chart: refused });
    return refused;
  }
}

function summaryOf(chart: Chart): ChartSummary {
  const { name, version } = chart.metadata;
  return {
    name,
    version,
    entry: goJson(chart.metadata),
    packedAt: chart.packedAt?.toISOString(),
    files: [...chart.files.values()].map(({ path, size }) => ({ path, size })),
    locked: lockedOf(chart.lock),
  };
}

function documentsOf(chart: Chart): Record<string, object> {
  const text = (path: string | undefined) => {
    const content = path === undefined ? undefined : chart.files.get(path)?.content;
    return content && content.length <= CHART_LIMITS.text ? { text: content.toString('utf8') } : undefined;
  };
  const readme = [...chart.files.keys()].find((path) => /^readme(?:\.md)?$/i.test(path));
  const documents = {
    chart: summaryOf(chart),
    'chart.values': text('values.yaml'),
    'chart.schema': text('values.schema.json'),
    'chart.readme': text(readme),
    'chart.templates': { files: templatesOf(chart.files) },
  };
  return Object.fromEntries(Object.entries(documents).filter(([, data]) => data !== undefined)) as Record<
    string,
    object
  >;
}

function templatesOf(files: ReadonlyMap<string, ChartFile>): TemplateFile[] {
  let left: number = CHART_LIMITS.allText;
  const found: TemplateFile[] = [];
  for (const { path, size, content } of files.values()) {
    if (!/^(?:templates|crds)\//.test(path)) continue;
    const isKept = content !== undefined && size <= CHART_LIMITS.text && size <= left;
    if (isKept) left -= size;
    found.push({ path, size, text: isKept ? content.toString('utf8') : undefined });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function lockedOf(lock: unknown): ChartSummary['locked'] {
  const { dependencies } = (lock ?? {}) as { dependencies?: unknown };
  if (!Array.isArray(dependencies)) return [];
  return dependencies.flatMap((each: unknown) => {
    const { name, version, repository } = (each ?? {}) as Record<string, unknown>;
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    return typeof name === 'string' ? [{ name, version: text(version), repository: text(repository) }] : [];
  });
}

async function keep(db: Queryable, content: Digest, documents: Record<string, object>): Promise<void> {
  await insertExtracted(db, {
    digest: digestToBytes(content),
    version: VERSION,
    kinds: Object.keys(documents),
    data: Object.values(documents).map((document) => JSON.stringify(document, withoutNul)),
  });
}

/** Postgres has no text with U+0000, nor with half a surrogate pair. Keys of these documents are our own. */
function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value;
}
