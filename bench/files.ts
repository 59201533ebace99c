/**
 * `npm run bench -- files`: files through /files, beside nginx with the same bytes on the same disk. nginx is no peer but the
 * limit: it neither hashes nor asks who is there nor waits until the disk has what it acknowledges.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure, type Extent, type Operation } from './load/closed-loop.ts';
import { ChangingBlob, randomBlob, repeatedBlob, type FixedBlob } from './load/content.ts';
import { spread } from './load/dataset.ts';
import { describeMachine, load, settle } from './measure/machine.ts';
import { summarise, type Round, type WorkloadRounds } from './report/summary.ts';
import { detailTable, ratioTable } from './report/table.ts';
import { startBerth } from './sides/berth.ts';
import { findNginx, NGINX_MISSING, startNginx } from './sides/nginx.ts';
import type { Side } from './sides/side.ts';
import { Connection } from './wire/connection.ts';
import { head, verify, type Session } from './wire/registry.ts';
import { countedRequest, plainRequest } from './wire/request.ts';

const REPORTS = fileURLToPath(new URL('../reports/bench', import.meta.url));
const MIB = 1024 * 1024;
const VERSION = '/files/bench/files:1';

interface Pushed {
  readonly path: string;
  readonly digest: string;
}

interface Run {
  readonly session: Session;
  readonly small: readonly FixedBlob[];
  readonly large: FixedBlob;
  readonly pushed: Pushed[];
}

interface FileWorkload {
  readonly id: string;
  readonly unit: 'requests/s' | 'MB/s';
  readonly connections: number;
  readonly receiveBuffer?: number;
  /** Bytes that one operation sends. */
  readonly sends?: number;
  readonly extent: Extent;
  operation(run: Run): Operation;
}

let serial = 0;

function puts(id: string, size: number, connections: number, extent: Extent): FileWorkload {
  const operation: FileWorkload['operation'] = ({ session, pushed }) => {
    const blobs = Array.from({ length: connections }, () => new ChangingBlob(size, 'monolithic'));
    return async (connection, lane) => {
      const { digest, parts } = blobs[lane]!.next();
      const name = `${VERSION}/up-${(serial += 1)}`;
      await put(connection, session, name, parts);
      pushed.push({ path: name, digest });
    };
  };
  return { id, unit: size >= MIB ? 'MB/s' : 'requests/s', connections, sends: size, extent, operation };
}

function gets(
  id: string,
  connections: number,
  seconds: number,
  files: (run: Run) => [string, FixedBlob][],
): FileWorkload {
  const operation: FileWorkload['operation'] = (run) => {
    const list = files(run).map(([name, { size }]) => ({
      request: plainRequest(head(run.session, 'GET', name)),
      size,
    }));
    let turn = 0;
    return async (connection) => {
      const { request, size } = list[turn++ % list.length]!;
      const { status, length } = await connection.exchange(request);
      if (status !== 200 || length !== size) throw new Error(`${id} was answered ${status} with ${length} bytes`);
    };
  };
  const unit = id.includes('16k') ? 'requests/s' : 'MB/s';
  return { id, unit, connections, receiveBuffer: MIB, extent: { kind: 'window', seconds }, operation };
}

function workloads(seconds: number): FileWorkload[] {
  return [
    puts('file-put-256m', 256 * MIB, 1, { kind: 'count', operations: 3 }),
    puts('file-put-16k', 16 * 1024, 8, { kind: 'whole', seconds }),
    gets('file-get-1g', 1, seconds, ({ large }) => [[`${VERSION}/large`, large]]),
    gets('file-get-16k', 16, seconds, ({ small }) => small.map((blob, n) => [`${VERSION}/small-${n}`, blob])),
  ];
}

async function put(connection: Connection, session: Session, name: string, parts: readonly Buffer[]): Promise<void> {
  const { status } = await connection.exchange(countedRequest(head(session, 'PUT', name), parts));
  if (status !== 201) throw new Error(`PUT ${name} was answered ${status}, not 201`);
}

/** What is read later, read back once and compared. */
async function seed({ session, small, large }: Omit<Run, 'pushed'>): Promise<void> {
  const lanes = Array.from({ length: 4 }, () => new Connection(session.origin, MIB));
  const files = [...small.map((blob, n) => [`small-${n}`, blob] as const), ['large', large] as const];
  try {
    await spread(lanes, files, async (lane, [name, { parts, digest }]) => {
      await put(lane, session, `${VERSION}/${name}`, parts);
      await verify(lane, session, `${VERSION}/${name}`, digest);
    });
  } finally {
    for (const lane of lanes) lane.close();
  }
}

async function round(workload: FileWorkload, run: Run, pids: readonly number[]): Promise<Round> {
  const before = load();
  const lanes = Array.from(
    { length: workload.connections },
    () => new Connection(run.session.origin, workload.receiveBuffer),
  );
  try {
    const measured = await measure(lanes, workload.operation(run), workload.extent, pids);
    const step = Math.max(1, Math.ceil(run.pushed.length / 200));
    const sample = run.pushed.filter((_, n) => n % step === 0);
    await spread(lanes, sample, (lane, { path: name, digest }) => verify(lane, run.session, name, digest));
    const bytes = workload.sends === undefined ? measured.bytes : workload.sends * measured.operations;
    return { ...measured, bytes, load: before };
  } finally {
    for (const lane of lanes) lane.close();
  }
}

async function main(rounds: number, seconds: number, folder: string): Promise<void> {
  const started = new Date();
  const scratch = fs.mkdtempSync(path.join(folder, 'berth-bench-'));
  const sides: Side[] = [];
  try {
    const machine = describeMachine(scratch);
    say(`${machine.cpu}, ${machine.cores} cores; ${machine.filesystem}, disk writes ${machine.diskWrite} MB/s`);
    sides.push(await startBerth(scratch));
    const nginx = findNginx(process.env);
    if (nginx === undefined) say(NGINX_MISSING);
    else sides.push(await startNginx(nginx, scratch));
    const content = {
      small: Array.from({ length: 200 }, () => randomBlob(16 * 1024)),
      large: repeatedBlob(1024 * MIB),
    };
    const runs = sides.map(({ target: { origin, credentials } }) => {
      const basic = credentials && Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
      return { ...content, session: { origin, authorization: basic && `Basic ${basic}` } };
    });
    for (const [n, run] of runs.entries()) {
      say(`${sides[n]!.target.name}: ${sides[n]!.version}; storing the files and reading them back`);
      await seed(run);
      settle(scratch);
    }
    const results: WorkloadRounds[] = [];
    for (const workload of workloads(seconds)) {
      const measured = sides.map((): Round[] => []);
      for (let n = 0; n < rounds; n += 1) {
        for (const [side, { target }] of sides.entries()) {
          measured[side]!.push(await round(workload, { ...runs[side]!, pushed: [] }, target.pids));
          if (workload.sends !== undefined) settle(scratch);
        }
      }
      const { id, unit } = workload;
      results.push({
        id,
        unit,
        sides: sides.map(({ target }, n) => ({ side: target.name, rounds: measured[n]!, peakMemory: 0 })),
      });
      say(`${id}: measured`);
    }
    const summaries = results.map(summarise);
    const tables = [ratioTable(summaries), detailTable(summaries)];
    say(`\n${tables.join('\n\n')}\n`);
    const servers = sides.map(({ target, version }) => ({ name: target.name, version }));
    fs.mkdirSync(REPORTS, { recursive: true });
    const file = path.join(REPORTS, `files-${started.toISOString().replaceAll(':', '-').slice(0, 19)}`);
    fs.writeFileSync(
      `${file}.json`,
      `${JSON.stringify({ started, machine, servers, workloads: results, summaries }, undefined, 2)}\n`,
    );
    fs.writeFileSync(`${file}.md`, `${tables.join('\n\n')}\n`);
    say(`Written to ${path.relative(process.cwd(), file)}.json`);
  } finally {
    await Promise.all(sides.map((side) => side.stop()));
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @param argv after `files` */
export async function benchFiles(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      folder: { type: 'string', default: '/var/tmp' },
    },
  });
  await main(Number(values.rounds), Number(values.seconds), values.folder);
}
