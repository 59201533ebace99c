/**
 * The other side of `yaml.ts`: a thread that parses YAML, since a megabyte takes the better part of a second. Few
 * aliases, no merge keys, no tags that make anything but plain data.
 */
import { parentPort } from 'node:worker_threads';
import { parseDocument, type Tags } from 'yaml';

export interface YamlQuestion {
  readonly id: number;
  readonly text: string;
  /** Equal keys are an error; else the last counts, as in Go. */
  readonly uniqueKeys: boolean;
  /** Whether the value is wanted, or only whether there is one. */
  readonly wanted: boolean;
}

export interface YamlAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const MAX_ALIASES = 100;

/** As Go's yaml.v2 resolves scalars: `yes` is true and `012` is ten, but dates and `1:30` stay text. */
function isPlain(tag: Tags[number]): boolean {
  if (typeof tag === 'string') return true;
  const name = tag.tag.replace('tag:yaml.org,2002:', '');
  const isTime = 'format' in tag && tag.format === 'TIME';
  return ['map', 'seq', 'str', 'null', 'bool', 'int', 'float'].includes(name) && !isTime;
}

function answer({ id, text, uniqueKeys, wanted }: YamlQuestion): YamlAnswer {
  try {
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
    if (error) return { id, error: `${error.message} at character ${error.pos[0]}` };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return wanted ? { id, value: plain(value) } : { id };
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}

/** Through JSON, as helm does it: no cycles, no exotic keys, nothing that JSON cannot say. */
function plain(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

parentPort?.on('message', (question: YamlQuestion) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's, not a window's
  parentPort?.postMessage(answer(question));
});
