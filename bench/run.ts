/**
 * `npm run bench`: Berth and other registries side by side on this machine. Every server holds the same verified data;
 * each workload runs in interleaved rounds; medians and ratios are printed and kept under `reports/bench/`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchCharts } from './charts.ts';
import { benchFiles } from './files.ts';
import { benchRetention } from './retention.ts';
import { benchRename } from './rename.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { WORKLOADS, type Workload } from './load/workloads.ts';
import { describeMachine, freeBytes, load, settle } from './measure/machine.ts';
import { MemorySampler } from './measure/memory-sampler.ts';
import { highWaterMark, processTree } from './measure/process-tree.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { judge, readDemands } from './report/demands.ts';
import { summarise, type Round, type WorkloadRounds } from './report/summary.ts';
import { detailTable, peakTable, ratioTable, verdictTable, type Peak } from './report/table.ts';
import { startBerth } from './sides/berth.ts';
import { knownPeers } from './sides/peers.ts';
import type { Side } from './sides/side.ts';

const REPORTS = fileURLToPath(new URL('../reports/bench', import.meta.url));
const NEEDED_BYTES = 40e9;

async function main(options: Options): Promise<number> {
  const started = new Date();
  const scratch = fs.mkdtempSync(path.join(options.folder, 'berth-bench-'));
  const generator = new GeneratorProcess();
  const sides: Side[] = [];
  // A signal must not leave servers behind: without its generator the run fails and ends in the ordinary way.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => generator.stop());
  try {
    if (freeBytes(scratch) < NEEDED_BYTES) throw new Error(`${options.folder} needs ${NEEDED_BYTES / 1e9} GB of room`);
    const machine = describeMachine(scratch);
    say(
      `${machine.cpu}, ${machine.cores} cores, ${machine.flags.join(' ')}; ${machine.filesystem}, disk writes ${machine.diskWrite} MB/s`,
    );
    const missing = await startSides(options, scratch, sides);
    for (const line of missing) say(line);
    for (const side of sides) {
      say(`${side.target.name}: ${side.version}; storing the data set and reading it back`);
      await generator.seed(side.target, options.scale);
      settle(scratch);
    }
    const workloads: WorkloadRounds[] = [];
    for (const workload of WORKLOADS.filter(({ id }) => options.workloads.includes(id))) {
      workloads.push(await runWorkload(workload, sides, generator, options, scratch));
    }
    const summaries = workloads.map(summarise);
    const peaks = sides.map((side) => peakOf(side, workloads));
    const verdicts = judge(readDemands(options.demands), summaries, memoryRatio(peaks, options));
    const tables = [
      ratioTable(summaries),
      detailTable(summaries),
      options.memory ? peakTable(peaks) : '',
      verdictTable(verdicts),
    ];
    say(`\n${tables.filter((text) => text !== '').join('\n\n')}\n`);
    const servers = sides.map(({ target, version }) => ({ name: target.name, version }));
    const report = {
      started,
      ended: new Date(),
      machine,
      options,
      servers,
      missing,
      workloads,
      summaries,
      peaks,
      verdicts,
    };
    say(`Written to ${write(started, report, tables)}`);
    if (!options.strict) return 0;
    if (verdicts.length === 0) throw new Error('Nothing could be compared with the demands');
    return verdicts.every(({ met }) => met) ? 0 : 1;
  } finally {
    generator.stop();
    await Promise.all(sides.map((side) => side.stop()));
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Starts what is wanted and there. @returns a line for each peer that is not */
async function startSides(options: Options, scratch: string, sides: Side[]): Promise<readonly string[]> {
  const wanted = (name: string): boolean => options.sides.length === 0 || options.sides.includes(name);
  const missing: string[] = [];
  if (wanted('berth')) sides.push(await startBerth(scratch));
  for (const peer of knownPeers(process.env)) {
    if (!wanted(peer.name)) continue;
    if (peer.program === undefined) missing.push(`${peer.name} is not measured: ${peer.missing}`);
    else sides.push(await peer.start(peer.program, scratch));
  }
  if (sides.length === 0) throw new Error('There is no server to measure');
  return missing;
}

/** Interleaved rounds, A B A B, and after them one round of each with its memory sampled. */
async function runWorkload(
  workload: Workload,
  sides: readonly Side[],
  generator: GeneratorProcess,
  options: Options,
  scratch: string,
): Promise<WorkloadRounds> {
  const rounds = sides.map((): Round[] => []);
  const peaks = sides.map(() => 0);
  const sample = (index: number, sampler = new MemorySampler(sides[index]!.target.pids)): void => {
    peaks[index] = Math.max(peaks[index]!, sampler.stop());
  };
  // Once without measuring: what a compiler does in the first second of a workload is not what it does in the next hour.
  if (workload.writes !== true) {
    for (const { target } of sides) await generator.round(target, { ...options.scale, seconds: 1 }, workload.id);
  }
  for (let n = 0; n < options.rounds; n += 1) {
    for (const [index, { target }] of sides.entries()) {
      const before = load();
      const result = await generator.round(target, options.scale, workload.id);
      rounds[index]!.push({ ...result, load: before });
      if (options.memory) sample(index);
      if (workload.writes === true) settle(scratch);
    }
  }
  // Reading the memory of a dozen processes takes their locks, so the timed rounds are sampled at their end only.
  for (const [index, { target }] of options.memory ? sides.entries() : []) {
    const sampler = new MemorySampler(target.pids);
    sampler.start();
    await generator.round(target, options.scale, workload.id);
    sample(index, sampler);
    if (workload.writes === true) settle(scratch);
  }
  const measured = sides.map(({ target }, index) => ({
    side: target.name,
    rounds: rounds[index]!,
    peakMemory: peaks[index]!,
  }));
  const result = { id: workload.id, unit: workload.unit, sides: measured };
  const { sides: summaries, ratios } = summarise(result);
  const rates = summaries.map(({ side, rate }) => `${side} ${rate.median.toFixed(0)}`).join(', ');
  say(`${workload.id}: ${rates} ${workload.unit}${ratios.map(({ rate }) => `, ${rate.median.toFixed(2)}×`).join('')}`);
  return result;
}

function peakOf({ target }: Side, workloads: readonly WorkloadRounds[]): Peak {
  const sampled = workloads.map(({ sides }) => sides.find(({ side }) => side === target.name)!.peakMemory);
  return {
    side: target.name,
    sampled: Math.max(0, ...sampled),
    highWaterMark: processTree(target.pids).length === 1 ? highWaterMark(target.pids[0]!) : undefined,
  };
}

function memoryRatio(peaks: readonly Peak[], options: Options): number | undefined {
  const own = peaks[0]!;
  const peer = peaks.find(({ side }) => side === readDemands(options.demands).peer);
  if (!options.memory || peer === undefined || peer === own) return undefined;
  return (own.highWaterMark ?? own.sampled) / (peer.highWaterMark ?? peer.sampled);
}

function write(started: Date, report: unknown, tables: readonly string[]): string {
  fs.mkdirSync(REPORTS, { recursive: true });
  const file = path.join(REPORTS, started.toISOString().replaceAll(':', '-').slice(0, 19));
  fs.writeFileSync(`${file}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  fs.writeFileSync(`${file}.md`, `${tables.join('\n\n')}\n`);
  return `${path.relative(process.cwd(), file)}.json`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const argv = process.argv.slice(2);
const [part, ...rest] = argv;
if (part === 'files') await benchFiles(rest);
else if (part === 'charts') process.exitCode = await benchCharts(rest);
else if (part === 'retention') process.exitCode = await benchRetention(rest);
else if (part === 'rename') process.exitCode = await benchRename(rest);
else {
  const options = readOptions(argv);
  if (options === 'help') say(HELP);
  else process.exitCode = await main(options);
}
