/**
 * `npm run bench -- charts`: Berth and ChartMuseum with the same charts, side by side: the index as it is asked for over and over,
 * `helm repo update` by the real client, and the time until an upload shows.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { importChartMuseum } from '../src/import/chartmuseum.ts';
import { writeCharts } from './charts/content.ts';
import { findHelms, setUpHelm } from './charts/helm.ts';
import { type Door, type Repository, uploadAndWait } from './charts/repository.ts';
import { measure } from './load/closed-loop.ts';
import { describeMachine, load, settle } from './measure/machine.ts';
import { MemorySampler } from './measure/memory-sampler.ts';
import { median, summarise, type Round, type WorkloadRounds } from './report/summary.ts';
import { detailTable, ratioTable, table } from './report/table.ts';
import { startBerth } from './sides/berth.ts';
import { startChartMuseum } from './sides/chartmuseum.ts';
import { Connection } from './wire/connection.ts';
import { expect, head } from './wire/registry.ts';
import { plainRequest } from './wire/request.ts';

const HELP = `npm run bench -- charts [options]

  --charts N      charts (500)
  --versions N    versions of each (10)
  --rounds N      rounds of everything on each server (5)
  --seconds N     length of a round of index requests (3)
  --folder DIR    where the scratch folder is made (/var/tmp)

ChartMuseum takes part when PEER_CHARTMUSEUM_BIN names it. Exits with 1 when an upload takes a second to show, or when
helm repo update takes longer than from ChartMuseum in its faster form.
`;

const NAMESPACE = 'bench/charts';
const MAY_TAKE_MS = 1_000;
const REPORTS = fileURLToPath(new URL('../reports/bench', import.meta.url));

interface Options {
  readonly charts: number;
  readonly versions: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly folder: string;
}

/** How often and by what the index is asked for. */
const WORKLOADS: readonly { id: string; headers: (etag: string) => Record<string, string> }[] = [
  { id: 'index', headers: () => ({ 'Accept-Encoding': 'identity' }) },
  { id: 'index-gzip', headers: () => ({ 'Accept-Encoding': 'gzip' }) },
  { id: 'index-unchanged', headers: (etag) => ({ 'Accept-Encoding': 'gzip', 'If-None-Match': etag }) },
];

interface Timed {
  readonly what: string;
  /** By server; milliseconds. */
  readonly times: ReadonlyMap<string, readonly number[]>;
}

async function main(options: Options): Promise<number> {
  const started = new Date();
  const scratch = fs.mkdtempSync(path.join(options.folder, 'berth-bench-charts-'));
  const repositories: Repository[] = [];
  try {
    const machine = describeMachine(scratch);
    const count = options.charts * options.versions;
    const storage = path.join(scratch, 'charts');
    await writeCharts(storage, options.charts, options.versions);
    repositories.push(await fillBerth(scratch, storage, count));
    const program = process.env['PEER_CHARTMUSEUM_BIN'];
    if (program === undefined) say('chartmuseum is not measured: PEER_CHARTMUSEUM_BIN is not set');
    else for (const json of [false, true]) repositories.push(await fillChartMuseum(program, scratch, storage, json));
    settle(scratch);

    const summaries = [];
    for (const { id, headers } of WORKLOADS) summaries.push(summarise(await ask(id, headers, repositories, options)));
    const timed = [...updates(repositories, scratch, options), ...(await uploads(repositories, options))];
    const tables = [ratioTable(summaries), detailTable(summaries), timeTable(timed)];
    say(`\n${tables.join('\n\n')}\n`);
    const servers = repositories.map(({ side }) => ({ name: side.target.name, version: side.version }));
    const times = timed.map(({ what, times: by }) => ({ what, times: Object.fromEntries(by) }));
    const report = { started, machine, options, servers, summaries, times };
    fs.mkdirSync(REPORTS, { recursive: true });
    const file = path.join(REPORTS, `charts-${started.toISOString().replaceAll(':', '-').slice(0, 19)}`);
    fs.writeFileSync(`${file}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
    fs.writeFileSync(`${file}.md`, `${tables.join('\n\n')}\n`);
    return judge(timed);
  } finally {
    await Promise.all(repositories.map(({ side }) => side.stop()));
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function fillBerth(scratch: string, storage: string, count: number): Promise<Repository> {
  const side = await startBerth(scratch);
  const { origin, credentials } = side.target;
  const begin = performance.now();
  const code = await importChartMuseum({
    from: storage,
    sourceCredentials: undefined,
    namespace: NAMESPACE,
    hub: new URL(origin),
    credentials: credentials!,
    parallel: 8,
    say,
  });
  if (code !== 0) throw new Error('Not every chart could be imported');
  const seconds = (performance.now() - begin) / 1000;
  say(`berth: imported ${count} charts in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} a second`);
  const basic = Buffer.from(`${credentials!.user}:${credentials!.password}`).toString('base64');
  return {
    side,
    url: `${origin}/charts/${NAMESPACE}`,
    authorization: `Basic ${basic}`,
    oci: { origin, namespace: NAMESPACE },
  };
}

async function fillChartMuseum(program: string, scratch: string, from: string, json: boolean): Promise<Repository> {
  const storage = path.join(scratch, json ? 'chartmuseum-json' : 'chartmuseum');
  fs.cpSync(from, storage, { recursive: true });
  const side = await startChartMuseum(program, scratch, storage, json);
  const begin = performance.now();
  await (await fetch(`${side.target.origin}/index.yaml`)).arrayBuffer();
  say(`${side.target.name}: first index after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return { side, url: side.target.origin, authorization: undefined };
}

/** Interleaved rounds of one kind of request on eight connections. */
async function ask(
  id: string,
  headers: (etag: string) => Record<string, string>,
  repositories: readonly Repository[],
  options: Options,
): Promise<WorkloadRounds> {
  const rounds = repositories.map((): Round[] => []);
  const peaks = repositories.map(() => 0);
  for (let n = 0; n < options.rounds; n += 1) {
    for (const [index, repository] of repositories.entries()) {
      const { target } = repository.side;
      const connections = Array.from({ length: 8 }, () => new Connection(target.origin, 256 * 1024));
      const session = { origin: target.origin, authorization: repository.authorization };
      const address = `${new URL(repository.url).pathname.replace(/\/$/, '')}/index.yaml`;
      const gzip = plainRequest(head(session, 'GET', address, { 'Accept-Encoding': 'gzip' }));
      const first = await expect(connections[0]!, gzip, 200, 'GET of the index');
      const request = plainRequest(head(session, 'GET', address, headers(first.header('ETag') ?? '"none"')));
      const typical = await connections[0]!.exchange(request);
      const packed = typical.header('Content-Encoding') === undefined ? '' : ' packed';
      const remark = `${typical.status}, ${(typical.length / 1000).toFixed(0)} kB${packed}`;
      const status = typical.status;
      const sampler = new MemorySampler(target.pids);
      const operation = async (lane: Connection): Promise<void> =>
        void (await expect(lane, request, status, 'GET of the index'));
      const before = load();
      const result = await measure(connections, operation, { kind: 'window', seconds: options.seconds }, target.pids);
      peaks[index] = Math.max(peaks[index]!, sampler.stop());
      for (const connection of connections) connection.close();
      rounds[index]!.push({ ...result, load: before, remark });
    }
  }
  const sides = repositories.map(({ side }, index) => ({
    side: side.target.name,
    rounds: rounds[index]!,
    peakMemory: peaks[index]!,
  }));
  return { id, unit: 'requests/s', sides };
}

function updates(repositories: readonly Repository[], scratch: string, { rounds }: Options): Timed[] {
  return findHelms(process.env).map((found) => {
    const helms = repositories.map(({ side, url }) => {
      const home = path.join(scratch, `${found.name}-${side.target.name}`);
      return { side: side.target.name, helm: setUpHelm(found, home, url, side.target.credentials) };
    });
    const times = new Map(helms.map(({ side }): [string, number[]] => [side, []]));
    for (let n = 0; n < rounds; n += 1) for (const { side, helm } of helms) times.get(side)!.push(helm.update());
    return { what: `${found.name} repo update`, times };
  });
}

async function uploads(repositories: readonly Repository[], { rounds }: Options): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const door of ['classic', 'oci'] as const satisfies Door[]) {
    const times = new Map<string, number[]>();
    for (let n = 0; n < rounds * 2; n += 1) {
      for (const repository of repositories) {
        if (door === 'oci' && repository.oci === undefined) continue;
        const taken = await uploadAndWait(repository, door, `${door === 'oci' ? 1 : 0}.0.${n}`);
        times.set(repository.side.target.name, [...(times.get(repository.side.target.name) ?? []), taken]);
      }
    }
    timed.push({ what: `${door === 'oci' ? 'helm push' : 'upload'} until it shows`, times });
  }
  return timed;
}

function timeTable(timed: readonly Timed[]): string {
  const rows = timed.flatMap(({ what, times }) => {
    const own = median([...times.values()][0] ?? []);
    return [...times].map(([side, taken]) => {
      const spread = `${Math.min(...taken).toFixed(0)}–${Math.max(...taken).toFixed(0)}`;
      return [what, side, `${median(taken).toFixed(0)} ms (${spread})`, `${(median(taken) / own).toFixed(2)}×`];
    });
  });
  return table(['what', 'server', 'time', 'server/own'], rows);
}

/** An upload shows within a second, and helm is no slower than from the faster ChartMuseum. */
function judge(timed: readonly Timed[]): number {
  const misses = timed.flatMap(({ what, times }) => {
    const own = times.get('berth') ?? [];
    const peer = times.get('chartmuseum-json');
    if (what.endsWith('until it shows')) {
      return Math.max(...own) < MAY_TAKE_MS ? [] : [`${what}: ${Math.max(...own).toFixed(0)} ms`];
    }
    return peer === undefined || median(own) <= median(peer) ? [] : [`${what}: slower than chartmuseum-json`];
  });
  for (const miss of misses) say(`missed: ${miss}`);
  return misses.length === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @returns the exit code: 1 when a demand is missed */
export async function benchCharts(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      charts: { type: 'string', default: '500' },
      versions: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      folder: { type: 'string', default: '/var/tmp' },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  return main({
    charts: Number(values.charts),
    versions: Number(values.versions),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    folder: values.folder,
  });
}
