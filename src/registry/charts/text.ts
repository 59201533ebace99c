/**
 * Text of strangers, parsed and compared in a thread of its own: the event loop goes on, and a document that takes too long
 * or too much memory costs the thread and nothing else. It starts when it is first needed and ends when it was idle for a
 * while.
 */
import { Worker } from 'node:worker_threads';
import { ChartRefused } from './refused.ts';
import type { Outcome, Results, Task, YamlRules } from './text-thread.ts';

/** For one task; a megabyte of ordinary YAML takes 0.8 s on a slow core. */
const PATIENCE_MS = 10_000;
const IDLE_MS = 30_000;
const MEMORY_MB = 192;

interface Waiting {
  readonly id: number;
  readonly task: Task;
  readonly resolve: (outcome: Outcome) => void;
}

let thread: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let deadline: NodeJS.Timeout | undefined;
let current: Waiting | undefined;
const queue: Waiting[] = [];
let ids = 0;

/** @throws {ChartRefused} `cannot load <file>: …` */
export function parseYaml(file: string, text: string, rules: YamlRules): Promise<unknown> {
  return run(file, { kind: 'yaml', text, ...rules });
}

/** @throws {ChartRefused} when one of them cannot be parsed */
export function compareYaml(file: string, before: string, after: string): Promise<Results['values']> {
  return run(file, { kind: 'values', before, after });
}

/** A unified diff; undefined when the texts differ too much. */
export function patchOf(path: string, before: string, after: string): Promise<Results['patch']> {
  return run(path, { kind: 'patch', path, before, after });
}

async function run<K extends Task['kind']>(file: string, task: Extract<Task, { kind: K }>): Promise<Results[K]> {
  const outcome = await new Promise<Outcome>((resolve) => {
    queue.push({ id: ++ids, task, resolve });
    next();
  });
  if ('value' in outcome) return outcome.value as Results[K];
  throw new ChartRefused(`cannot load ${file}: error converting YAML to JSON: yaml: ${outcome.error}`);
}

/** One at a time: a second thread would only make two slow ones out of two slow cores. */
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
