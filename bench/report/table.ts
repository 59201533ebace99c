/** The report as Markdown, for the terminal and for the documentation alike. */
import type { Verdict } from './demands.ts';
import type { SideSummary, WorkloadSummary } from './summary.ts';

export interface Peak {
  readonly side: string;
  /** Largest proportional set size in any workload, in bytes. */
  readonly sampled: number;
  /** Largest resident size as the kernel recorded it; only for a server that is one process. */
  readonly highWaterMark: number | undefined;
}

export function ratioTable(summaries: readonly WorkloadSummary[]): string {
  const rows = summaries.flatMap(({ id, unit, sides, ratios }) =>
    ratios.map(({ peer, rate, cpu, memory }) => [
      id,
      `${number(sides[0]!.rate.median)} ${unit}`,
      `${number(sides.find(({ side }) => side === peer)!.rate.median)} ${unit}`,
      `**${times(rate.median)}** (${times(rate.least)}–${times(rate.most)})`,
      times(cpu),
      memory === undefined ? '–' : times(memory),
      peer,
    ]),
  );
  return table(['workload', 'own', 'peer', 'rate, own/peer', 'CPU, peer/own', 'memory, own/peer', 'peer is'], rows);
}

export function detailTable(summaries: readonly WorkloadSummary[]): string {
  const rows = summaries.flatMap(({ id, unit, sides }) =>
    sides.map((side: SideSummary) => [
      id,
      side.side,
      `${number(side.rate.median)} (${number(side.rate.least)}–${number(side.rate.most)}) ${unit}`,
      `${side.p50.toFixed(2)} / ${side.p99.toFixed(2)} ms`,
      unit === 'MB/s' ? `${side.cpu.toFixed(2)} s/GB` : `${side.cpu.toFixed(0)} µs/request`,
      side.peakMemory === 0 ? '–' : mib(side.peakMemory),
      side.remark ?? '',
    ]),
  );
  return table(['workload', 'server', 'rate', 'p50 / p99', 'CPU', 'peak memory', 'remark'], rows);
}

export function peakTable(peaks: readonly Peak[]): string {
  const rows = peaks.map(({ side, sampled, highWaterMark }) => [
    side,
    mib(sampled),
    highWaterMark === undefined ? 'several processes' : mib(highWaterMark),
  ]);
  return table(['server', 'peak memory (PSS)', 'VmHWM'], rows);
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ what, asked, measured, met }) => [what, asked, measured, met ? 'met' : '**missed**']);
  return table(['demand', 'asked', 'measured', ''], rows);
}

export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
