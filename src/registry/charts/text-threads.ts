/** A thread that does one task after the other. It starts when it is first needed and ends when it was idle for a while. */
import { Worker } from 'node:worker_threads';
import type { Outcome, Task } from './text-thread.ts';

/** For one task; a megabyte of ordinary YAML takes 0.8 s on a slow core. */
const PATIENCE_MS = 10_000;
const IDLE_MS = 30_000;
const MEMORY_MB = 192;

export interface TextThread {
  /** Never rejects. */
  run(task: Task): Promise<Outcome>;
}

interface Waiting {
  readonly id: number;
  readonly task: Task;
  readonly resolve: (outcome: Outcome) => void;
}

export function createTextThread(): TextThread {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let current: Waiting | undefined;
  const queue: Waiting[] = [];
  let ids = 0;

  function next(): void {
    if (current !== undefined) return;
    current = queue.shift();
    clearTimeout(idle);
    if (current === undefined) {
      idle = setTimeout(stop, IDLE_MS);
      idle.unref();
      return;
    }
    thread ??= start();
    deadline = setTimeout(() => {
      stop();
      settle({ error: `the document takes more than ${PATIENCE_MS / 1000} s to read` });
    }, PATIENCE_MS);
    deadline.unref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
    thread.postMessage({ id: current.id, task: current.task });
  }

  function settle(outcome: Outcome): void {
    clearTimeout(deadline);
    const settled = current;
    current = undefined;
    settled?.resolve(outcome);
    next();
  }

  function start(): Worker {
    const worker = new Worker(new URL('./text-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      execArgv: [],
    });
    worker.unref();
    worker.on('message', ({ id, outcome }: { id: number; outcome: Outcome }) => {
      if (worker === thread && id === current?.id) settle(outcome);
    });
    worker.on('error', (error) => {
      if (worker !== thread) return;
      thread = undefined;
      settle({ error: `the document cannot be read: ${error.message}` });
    });
    return worker;
  }

  function stop(): void {
    const stopping = thread;
    thread = undefined;
    void stopping?.terminate();
  }

  return {
    run: (task) =>
      new Promise((resolve) => {
        queue.push({ id: ++ids, task, resolve });
        next();
      }),
  };
}
