/** The other side of `text.ts`: a thread that parses and compares, since a megabyte of YAML takes the better part of a second. */
import { parentPort } from 'node:worker_threads';
import { createTwoFilesPatch } from 'diff';
import { parseDocument, type Tags } from 'yaml';
import { compareValues, type ValueChange } from './compare-values.ts';
import { CHART_LIMITS } from './limits.ts';

export interface YamlRules {
  /** Equal keys are an error; else the last counts, as in Go. */
  readonly uniqueKeys: boolean;
  /** Whether the value is wanted, or only whether there is one. */
  readonly wanted: boolean;
}

export type Task =
  | ({ readonly kind: 'yaml'; readonly text: string } & YamlRules)
  | { readonly kind: 'patch'; readonly before: string; readonly after: string; readonly path: string }
  | { readonly kind: 'values'; readonly before: string; readonly after: string };

export interface Results {
  /** As JSON can say it. */
  readonly yaml: unknown;
  /** Undefined when the texts differ too much for a comparison to be of use. */
  readonly patch: string | undefined;
  readonly values: readonly ValueChange[];
}

export type Outcome = { readonly value: unknown } | { readonly error: string };

const MAX_ALIASES = 100;
const PATCH_MS = 2_000;
const PATCH_EDITS = 20_000;

const WORK: { [K in Task['kind']]: (task: Extract<Task, { kind: K }>) => Results[K] } = {
  yaml({ text, uniqueKeys, wanted }) {
    const value = parse(text, uniqueKeys);
    return wanted ? plain(value) : undefined;
  },
  patch({ before, after, path }) {
    const limits = { context: 3, timeout: PATCH_MS, maxEditLength: PATCH_EDITS };
    return createTwoFilesPatch(path, path, before, after, undefined, undefined, limits);
  },
  values: ({ before, after }) => compareValues(plain(parse(before, false)), plain(parse(after, false))),
};

/** Few aliases, no merge keys, no tags that make anything but plain data. @throws what is wrong with it */
function parse(text: string, uniqueKeys: boolean): unknown {
  const document = parseDocument(text, {
    version: '1.1',
    merge: false,
    uniqueKeys,
    strict: false,
    logLevel: 'silent',
    prettyErrors: false,
    customTags: (tags) => tags.filter(isPlain),
  });
  // Go reads the first document and leaves the rest.
  const error = document.errors.find((each) => each.code !== 'MULTIPLE_DOCS');
  if (error) throw new Error(`${error.message} at character ${error.pos[0]}`);
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

/** As Go's yaml.v2 resolves scalars: `yes` is true and `012` is ten, but dates and `1:30` stay text. */
function isPlain(tag: Tags[number]): boolean {
  if (typeof tag === 'string') return true;
  const name = tag.tag.replace('tag:yaml.org,2002:', '');
  const isTime = 'format' in tag && tag.format === 'TIME';
  return ['map', 'seq', 'str', 'null', 'bool', 'int', 'float'].includes(name) && !isTime;
}

/** Through JSON, as helm does it: no cycles, no exotic keys, nothing that JSON cannot say. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  if (text.length > CHART_LIMITS.json) {
    throw new Error(`with its aliases written out it is longer than ${CHART_LIMITS.json} characters`);
  }
  return JSON.parse(text) as unknown;
}

function outcome(task: Task): Outcome {
  try {
    return { value: WORK[task.kind](task as never) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

parentPort?.on('message', ({ id, task }: { id: number; task: Task }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
  parentPort?.postMessage({ id, outcome: outcome(task) });
});
