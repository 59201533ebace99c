/** The worker processes of a hub. The primary takes no requests itself; it starts a worker again when one dies. */
import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../log.ts';
import type { FromWorker, HubStart, ToWorker } from './hub-start.ts';

export type Hub = Pick<HubStart, 'config' | 'secrets'>;

export interface Workers {
  /** Lets one of them make Postgres ready. Returns the administrator's password when it was made now. */
  prepare(hub: Hub): Promise<string | undefined>;
  /** Tells them what to serve. Resolves when all of them do. @throws when one cannot start */
  start(hub: Hub): Promise<void>;
  /** Lets requests under way finish, then ends them. What is waiting for `prepare` or `start` gets an error. */
  close(): Promise<void>;
  /** Ends them at once. */
  kill(): void;
}

interface Options {
  readonly count: number;
  /** Whether the first of them runs the background jobs. */
  readonly jobs: boolean;
  /** Node's own, for each worker. */
  readonly nodeFlags: readonly string[];
  readonly log: Log;
}

/**
 * glibc's: few arenas, and buffers of 128 KiB or more go back to the kernel when they are freed. By default the threshold grows
 * with the largest buffer freed so far, and what lies below it stays in the process.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: String(128 * 1024) };

/** A worker that lived this long may be started again at once. */
const STEADY_MS = 30_000;
const LONGEST_PAUSE_MS = 10_000;
/** Beyond the time for draining, for letting go of everything else. */
const GRACE_SECONDS = 10;

/** Starts the processes. They load the code while the primary is still busy with Postgres, and wait for more. */
export function forkWorkers(options: Options): Workers {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./worker-program.ts', import.meta.url)),
    args: [],
    execArgv: [...options.nodeFlags],
    serialization: 'advanced',
  });
  const slots: Slot[] = [];
  const free = (claimant: string): void => slots.find((slot) => slot.serves)?.free(claimant);
  for (let number = 1; number <= options.count; number++) slots.push(new Slot(number, options, free));
  return {
    prepare: (hub) => slots[0]!.prepare(hub),
    start: async (hub) => void (await Promise.all(slots.map((slot) => slot.start(hub)))),
    close: async () => void (await Promise.all(slots.map((slot) => slot.close()))),
    kill: () => slots.forEach((slot) => slot.kill()),
  };
}

/** One worker's place: the process in it changes when it dies. */
class Slot {
  readonly #number: number;
  readonly #options: Options;
  /** Has another worker free what a process claimed that is gone. */
  readonly #free: (claimant: string) => void;
  readonly #prepared = Promise.withResolvers<string | undefined>();
  readonly #ready = Promise.withResolvers<void>();
  #worker: Worker;
  #claimant = '';
  /** Of processes that are gone, until the present one has freed what they had claimed. */
  readonly #former = new Set<string>();
  #hub: Hub | undefined;
  #started = false;
  #serves = false;
  #closing = false;
  #pause = 0;

  constructor(number: number, options: Options, free: (claimant: string) => void) {
    this.#number = number;
    this.#options = options;
    this.#free = free;
    // Whoever waits for them gets the failure; one that comes before must not end the process.
    this.#prepared.promise.catch(() => {});
    this.#ready.promise.catch(() => {});
    this.#worker = this.#fork();
  }

  /** Whether the process that is here now is ready. */
  get serves(): boolean {
    return this.#serves;
  }

  free(claimant: string): void {
    this.#say({ type: 'free', claimant });
  }

  prepare(hub: Hub): Promise<string | undefined> {
    this.#say({ type: 'prepare', start: this.#startOf(hub) });
    return this.#prepared.promise;
  }

  start(hub: Hub): Promise<void> {
    this.#hub = hub;
    this.#say({ type: 'start', start: this.#startOf(hub) });
    return this.#ready.promise;
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#refuse('The hub is ending.');
    if (this.#worker.isDead()) return;
    const gone = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#say({ type: 'close' });
    const patience = ((this.#hub?.config.drainSeconds ?? 0) + GRACE_SECONDS) * 1_000;
    const timer = setTimeout(() => this.kill(), patience);
    await gone;
    clearTimeout(timer);
  }

  kill(): void {
    this.#closing = true;
    this.#worker.process.kill('SIGKILL');
  }

  #fork(): Worker {
    const born = performance.now();
    this.#claimant = randomUUID();
    const cache = getCompileCacheDir();
    // Node adds its version below the folder that it is given.
    const worker = cluster.fork({ ...MALLOC, ...(cache !== undefined && { NODE_COMPILE_CACHE: dirname(cache) }) });
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) =>
      this.#options.log.warn({ worker: this.#number, err: error }, 'cannot talk to a worker'),
    );
    worker.on('exit', (code, signal) => this.#gone(signal ?? `exit code ${code}`, performance.now() - born));
    return worker;
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'prepared':
        this.#prepared.resolve(message.password);
        break;
      case 'ready':
        this.#started = true;
        this.#serves = true;
        this.#former.clear();
        this.#ready.resolve();
        break;
      case 'failed':
        this.#options.log.error({ worker: this.#number, stack: message.stack }, 'a worker could not start');
        this.#refuse(message.message);
    }
  }

  #gone(how: string, age: number): void {
    this.#serves = false;
    if (this.#closing) return;
    if (!this.#started) return this.#refuse(`A worker process ended while it was starting (${how}).`);
    this.#former.add(this.#claimant);
    this.#free(this.#claimant);
    this.#pause = age > STEADY_MS ? 0 : Math.min(Math.max(this.#pause * 2, 100), LONGEST_PAUSE_MS);
    const facts = { worker: this.#number, pid: this.#worker.process.pid, how, pauseMs: this.#pause };
    this.#options.log.error(facts, 'a worker ended and is started again');
    setTimeout(() => {
      if (this.#closing) return;
      this.#worker = this.#fork();
      if (this.#hub) this.#say({ type: 'start', start: this.#startOf(this.#hub) });
    }, this.#pause);
  }

  #refuse(reason: string): void {
    const error = new Error(reason);
    this.#prepared.reject(error);
    this.#ready.reject(error);
  }

  #startOf(hub: Hub): HubStart {
    const jobs = this.#options.jobs && this.#number === 1;
    return { ...hub, worker: this.#number, claimant: this.#claimant, former: [...this.#former], jobs };
  }

  #say(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }
}
