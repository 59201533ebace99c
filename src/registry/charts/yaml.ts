/**
 * YAML of strangers, parsed in a thread of its own: the event loop goes on, a document that takes too long or too much memory
 * costs the thread and nothing else. The thread starts when it is first needed and ends when it was idle for a while.
 */
import { Worker } from 'node:worker_threads';
import { ChartRefused } from './refused.ts';
import type { YamlAnswer, YamlQuestion } from './yaml-thread.ts';

/** For one document; a megabyte of ordinary YAML takes 0.8 s on a slow core. */
const PATIENCE_MS = 10_000;
const IDLE_MS = 30_000;
const MEMORY_MB = 192;

interface Waiting {
  readonly question: YamlQuestion;
  readonly settle: (answer: Omit<YamlAnswer, 'id'>) => void;
}

let thread: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let deadline: NodeJS.Timeout | undefined;
let current: Waiting | undefined;
const queue: Waiting[] = [];
let ids = 0;

/** @throws {ChartRefused} `cannot load <file>: …` */
export async function parseYaml(
  file: string,
  text: string,
  rules: { readonly uniqueKeys: boolean; readonly wanted: boolean },
): Promise<unknown> {
  const { value, error } = await new Promise<Omit<YamlAnswer, 'id'>>((resolve) => {
    queue.push({ question: { id: ++ids, text, ...rules }, settle: resolve });
    next();
  });
  if (error !== undefined) throw new ChartRefused(`cannot load ${file}: error converting YAML to JSON: yaml: ${error}`);
  return value;
}

/** One document at a time: a second thread would only make two slow ones out of two slow cores. */
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
  thread.postMessage(current.question);
}

function settle(answer: Omit<YamlAnswer, 'id'>): void {
  clearTimeout(deadline);
  const settled = current;
  current = undefined;
  settled?.settle(answer);
  next();
}

function start(): Worker {
  const worker = new Worker(new URL('./yaml-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    execArgv: [],
  });
  worker.unref();
  worker.on('message', (answer: YamlAnswer) => {
    if (worker === thread && answer.id === current?.question.id) settle(answer);
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
