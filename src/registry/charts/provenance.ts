/**
 * Provenance files: a clear-signed text that holds Chart.yaml, the end of a YAML document, and the digest of the archive
 * (pkg/provenance/sign.go). Who signed is for `helm verify` to judge; here it only has to belong to the chart.
 */
import type { Digest } from '../../blobs/digest.ts';
import { CHART_LIMITS } from './limits.ts';
import { readMetadata, type ChartMetadata } from './metadata.ts';
import { fileOf } from './names.ts';
import { ChartRefused } from './refused.ts';
import { parseYaml } from './text.ts';

const HEAD = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n/;
const END = /\r?\n-----BEGIN PGP SIGNATURE-----/;

export interface Provenance {
  readonly name: string;
  readonly version: string;
  /** What it says about archives, by file name: `sha256:…`. */
  readonly files: ReadonlyMap<string, string>;
}

/** @throws {ChartRefused} */
export async function readProvenance(bytes: Buffer): Promise<Provenance> {
  if (bytes.length > CHART_LIMITS.provenance) {
    throw new ChartRefused(`a provenance file may have at most ${CHART_LIMITS.provenance} bytes`);
  }
  const text = bytes.toString('utf8');
  const head = HEAD.exec(text);
  const end = head && END.exec(text.slice(head[0].length));
  if (!head || !end) throw new ChartRefused('the provenance file holds no signed message');
  // RFC 9580, section 7.2: lines that begin with a dash have another and a space in front.
  const message = text.slice(head[0].length, head[0].length + end.index).replaceAll(/^- /gm, '');
  const [chart = '', sums = ''] = message.split(/\r?\n\.\.\.\r?\n/, 2);
  const rules = { uniqueKeys: true, wanted: true };
  const metadata = readMetadata([
    { file: 'the provenance file', value: await parseYaml('the provenance file', chart, rules) },
  ]);
  const { files } = ((await parseYaml('the provenance file', sums, rules)) ?? {}) as { files?: unknown };
  const entries = typeof files === 'object' && files !== null ? Object.entries(files) : [];
  return {
    name: metadata.name,
    version: metadata.version,
    files: new Map(entries.map(([file, digest]) => [file, String(digest)])),
  };
}

/** @throws {ChartRefused} when it is of another chart, or of other bytes */
export function checkBelongs(
  { name, version, files }: Provenance,
  chart: Pick<ChartMetadata, 'name' | 'version'>,
  content: Digest,
): void {
  if (name !== chart.name || version !== chart.version) {
    throw new ChartRefused(`the provenance file is of ${name} ${version}, not of ${chart.name} ${chart.version}`);
  }
  const file = fileOf(name, version);
  if (files.get(file) !== content) {
    throw new ChartRefused(
      `the provenance file is of another ${file}: it names ${files.get(file) ?? 'no digest of it'}`,
    );
  }
}
