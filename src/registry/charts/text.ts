/**
 * Text of strangers, parsed and compared in threads: the event loop goes on, and a document that takes too long or too much
 * memory costs a thread and nothing else. Looking has one of its own, so that whoever reads or compares holds up no push.
 */
import { createLimiter } from '../../auth/limiter.ts';
import { ChartRefused } from './refused.ts';
import { createTextThread, type TextThread } from './text-threads.ts';
import type { Results, Task, YamlRules } from './text-thread.ts';

/** Too many people look at charts: try again. */
export class TooManyComparisons extends Error {
  override readonly name = 'TooManyComparisons';
}

const reading = createTextThread();
const comparing = createTextThread();
const comparers = createLimiter(
  1,
  16,
  () => new TooManyComparisons('The hub is busy reading and comparing charts; try again'),
);

/** @throws {ChartRefused} `cannot load <file>: …` */
export function parseYaml(file: string, text: string, rules: YamlRules): Promise<unknown> {
  return run(reading, file, { kind: 'yaml', text, ...rules });
}

const shown = new Map<string, Promise<unknown>>();

/** For who looks at a chart that is here; those who look at the same one share the work. @throws {ChartRefused | TooManyComparisons} */
export function showYaml(file: string, text: string): Promise<unknown> {
  let running = shown.get(text);
  if (running === undefined) {
    running = compare(() => run(comparing, file, { kind: 'yaml', text, uniqueKeys: false, wanted: true })).finally(() =>
      shown.delete(text),
    );
    shown.set(text, running);
  }
  return running;
}

/** Runs one comparison after the other. @throws {TooManyComparisons} */
export function compare<T>(work: () => Promise<T>): Promise<T> {
  return comparers.run(work);
}

/** @throws {ChartRefused} when one of them cannot be parsed */
export function compareYaml(file: string, before: string, after: string): Promise<Results['values']> {
  return run(comparing, file, { kind: 'values', before, after });
}

/** A unified diff; undefined when the texts differ too much. */
export function patchOf(path: string, before: string, after: string): Promise<Results['patch']> {
  return run(comparing, path, { kind: 'patch', path, before, after });
}

async function run<K extends Task['kind']>(
  thread: TextThread,
  file: string,
  task: Extract<Task, { kind: K }>,
): Promise<Results[K]> {
  const outcome = await thread.run(task);
  if ('value' in outcome) return outcome.value as Results[K];
  throw new ChartRefused(`cannot load ${file}: error converting YAML to JSON: yaml: ${outcome.error}`);
}
