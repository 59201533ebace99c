/** A hub as people run it: `berth serve` in processes of its own, on a free port and a fresh data folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, commandOf, gone, isAlive, killHard, postmasterIn } from './processes.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const READY = /^Berth is ready at (\S+)$/m;
const PASSWORD = /^ {2}password {2}(\S+)/m;

export interface HubProcessOptions {
  /** Settings, and whatever else the hub should find in its environment; it gets nothing else but PATH, HOME, TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  /** An existing one to start on; the caller removes it. */
  readonly dataDir?: string;
  /** Leaves the data folder where it is when the hub is stopped. */
  readonly keep?: boolean;
  /** To serve where an earlier hub did. */
  readonly port?: number;
  readonly flags?: readonly string[];
  /** A command that runs the hub, such as `setpriv --reuid=1000`. */
  readonly wrapper?: readonly string[];
  /** The clone that it is started from, where the wrapper makes another one than this. */
  readonly root?: string;
}

/** `primary`: its main process alone; `node`: that and all workers; `postgres`: its main process alone; `both`: all. */
export type Victim = 'primary' | 'node' | 'postgres' | 'both';

export interface HubProcess extends AsyncDisposable {
  readonly url: string;
  /** `127.0.0.1:8080`: what an image reference starts with. */
  readonly host: string;
  readonly port: number;
  /** Of the user `admin`; remembered over restarts on the same data folder. */
  readonly adminPassword: string;
  readonly dataDir: string;
  /** Of the primary. */
  readonly pid: number;
  /** From the start of the process to its greeting. */
  readonly startedInMs: number;
  /** Settles with the exit code, or the signal, of the primary. */
  readonly exited: Promise<number | NodeJS.Signals>;
  workerPids(): number[];
  postgresPid(): Promise<number>;
  /** Everything it has printed so far. */
  output(): string;
  /** Kills without warning and waits until the victims are gone. */
  kill9(victim: Victim): Promise<void>;
  /** Ends it as SIGTERM does, removes what is left, and returns the exit code. Idempotent. */
  stop(): Promise<number | NodeJS.Signals>;
}

const passwords = new Map<string, string>();
const unfinished = new Set<{ pid: number; dataDir: string; temporary: boolean }>();

/** Starts a hub and waits until it is ready. @throws with its output when it ends instead */
export async function startHub(options: HubProcessOptions = {}): Promise<HubProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'berth-process-')));
  const port = options.port ?? (await freePort());
  const from = performance.now();
  const child = spawnHub(options, dataDir, port);
  const record = { pid: child.pid!, dataDir, temporary: options.dataDir === undefined && options.keep !== true };
  unfinished.add(record);
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal!));
  });

  let stopping: Promise<number | NodeJS.Signals> | undefined;
  const stop = () => (stopping ??= end());
  async function end(): Promise<number | NodeJS.Signals> {
    const workers = childrenOf(record.pid);
    if (isAlive(record.pid)) process.kill(record.pid, 'SIGTERM');
    const code = await Promise.race([exited, sleep(60_000, undefined, { ref: false })]);
    // What runs in the folder of a hub that was refused is another's.
    const postmaster = /Another hub.* is using/.test(output) ? undefined : await postmasterIn(dataDir);
    const left = [record.pid, ...workers, postmaster].filter((pid) => pid !== undefined);
    killHard(left);
    await gone(left);
    if (record.temporary) await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
    unfinished.delete(record);
    if (code === undefined) throw new Error(`The hub did not end within a minute of SIGTERM:\n${output}`);
    return code;
  }

  const ready = new Promise<string>((resolve, reject) => {
    const look = () => {
      const match = READY.exec(output);
      // The greeting has more lines than this one, and ends with an empty one.
      if (match && output.endsWith('\n\n')) resolve(match[1]!);
    };
    child.stdout!.on('data', look);
    void exited.then((how) => reject(new Error(`The hub ended instead of starting (${how}):\n${output}`)));
  });
  const url = await ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const startedInMs = performance.now() - from;
  const password = options.env?.['BERTH_ADMIN_PASSWORD'] ?? PASSWORD.exec(output)?.[1] ?? passwords.get(dataDir) ?? '';
  passwords.set(dataDir, password);

  const workerPids = () => childrenOf(record.pid).filter((pid) => commandOf(pid).startsWith('berth worker'));
  const postgresPid = async () => {
    const pid = await postmasterIn(dataDir);
    if (pid === undefined) throw new Error(`No Postgres runs in ${dataDir}`);
    return pid;
  };
  return {
    url,
    host: new URL(url).host,
    port,
    adminPassword: password,
    dataDir,
    pid: record.pid,
    startedInMs,
    exited,
    workerPids,
    postgresPid,
    output: () => output,
    async kill9(victim) {
      const victims: number[] = [];
      if (victim !== 'postgres') victims.push(record.pid);
      if (victim === 'node' || victim === 'both') victims.push(...workerPids());
      if (victim === 'postgres' || victim === 'both') {
        const postmaster = await postgresPid();
        victims.push(postmaster, ...(victim === 'both' ? childrenOf(postmaster) : []));
      }
      const workers = workerPids();
      killHard(victims);
      await gone(victim === 'primary' ? [...victims, ...workers] : victims);
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/**
 * Runs the hub where it is expected to end by itself, such as with a wrong setting. `onSpawn` is told its number, and given
 * what it has printed so far whenever it asks.
 */
export async function runHub(
  options: HubProcessOptions & {
    dataDir: string;
    port: number;
    onSpawn?: (pid: number, output: () => string) => Promise<void> | void;
  },
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const child = spawnHub(options, options.dataDir, options.port);
  let output = '';
  void options.onSpawn?.(child.pid!, () => output);
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: code ?? signal!, output };
}

function spawnHub(options: HubProcessOptions, dataDir: string, port: number): ChildProcess {
  const { PATH = '', HOME = '/', TMPDIR } = process.env;
  const env = {
    ...{
      PATH,
      HOME,
      ...(TMPDIR && { TMPDIR }),
      BERTH_DATA_DIR: dataDir,
      BERTH_PORT: String(port),
      BERTH_DRAIN_SECONDS: '5',
    },
    ...options.env,
  };
  // A test run that is killed takes its hubs with it: the hub gets SIGTERM when its parent dies.
  const root = options.root ?? ROOT;
  const program = [join(root, 'node_modules/.bin/node'), join(root, 'bin/berth.mjs'), 'serve'];
  const command = [...(options.wrapper ?? []), 'setpriv', '--pdeathsig', 'TERM', '--', ...program];
  return spawn(command[0]!, [...command.slice(1), ...(options.flags ?? [])], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

process.on('exit', () => {
  for (const { pid, dataDir, temporary } of unfinished) {
    killHard([...childrenOf(pid), pid]);
    if (temporary) rmSync(dataDir, { recursive: true, force: true });
  }
});
