/** The shape that docs/architecture.md promises: imports point down, files stay small, the environment is read once. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url);

/** From top to bottom. A folder may import what stands on a lower line, and itself. */
const LEVELS = [
  ['oci', 'helm', 'files', 'api', 'ui'],
  ['registry'],
  ['auth'],
  ['blobs', 'jobs'],
  ['db', 'http'],
  ['cache'],
];
/** Folders that only the composition root uses: how processes start, how settings are read, commands that are clients. */
const ROOT_FOLDERS = ['process', 'config', 'import'];

interface Source {
  readonly path: string;
  readonly text: string;
}

const sources: Source[] = await Promise.all(
  (await readdir(SRC, { recursive: true }))
    .filter((path) => path.endsWith('.ts'))
    .map(async (path) => ({ path, text: await readFile(new URL(path, SRC), 'utf8') })),
);

function levelOf(folder: string): number {
  return LEVELS.findIndex((level) => level.includes(folder));
}

/** Files of src that `source` imports, relative to src. Types from config.ts are allowed everywhere. */
function importsOf(source: Source): string[] {
  const found = source.text.matchAll(/^(?:import|export) (type )?[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm);
  return [...found]
    .map((match) => ({ type: match[1] !== undefined, specifier: (match[2] ?? match[3]) as string }))
    .map(({ type, specifier }) => ({
      type,
      path: new URL(specifier, new URL(source.path, SRC)).href.slice(SRC.href.length),
    }))
    .filter(({ type, path }) => !(type && path === 'config.ts'))
    .map(({ path }) => path);
}

describe('imports', () => {
  const edges = sources.flatMap((source) => importsOf(source).map((target) => ({ source: source.path, target })));

  it('are seen', () => {
    expect(edges.length).toBeGreaterThan(100);
    expect(edges.some((edge) => edge.source.startsWith('oci/') && edge.target.startsWith('registry/'))).toBe(true);
  });

  it('point down', () => {
    const upward = edges.filter(({ source, target }) => {
      const [from, to] = [source.split('/')[0] as string, target.split('/')[0] as string];
      if (from === to || !source.includes('/') || ROOT_FOLDERS.includes(from)) return false;
      if (!target.includes('/') || ROOT_FOLDERS.includes(to)) return true;
      return levelOf(from) < 0 || levelOf(to) <= levelOf(from);
    });
    expect(upward).toEqual([]);
  });
});

describe('what a worker loads', () => {
  /** Packages that a file imports at once, and those of the files that it imports, each with the file that wants it. */
  function packagesOf(entry: string): Map<string, string> {
    const found = new Map<string, string>();
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const source = sources.find((one) => one.path === path);
      for (const match of source?.text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm) ?? []) {
        const specifier = match[1] as string;
        if (specifier.startsWith('.')) visit(new URL(specifier, new URL(path, SRC)).href.slice(SRC.href.length));
        else found.set(specifier, path);
      }
    };
    visit(entry);
    return found;
  }

  /** Every worker of every hub pays for each of these. What a door alone needs is imported when the door is first asked for. */
  const EXPECTED = ['jose', 'koa', 'lru-cache', 'pg', 'pino', 'sql-template-tag'];

  it('is what every request needs', () => {
    const packages = [...packagesOf('process/worker-program.ts')].filter(([name]) => !name.startsWith('node:'));
    expect(packages.filter(([name]) => !EXPECTED.includes(name))).toEqual([]);
    expect(packages).toHaveLength(EXPECTED.length);
  });

  it('is not the implementation of fetch, which an import of node:http brings along', () => {
    const importers = sources.filter(
      ({ path, text }) => !path.startsWith('import/') && /^import (?!type )[^;]*? from 'node:http'/m.test(text),
    );
    expect(importers.map(({ path }) => path)).toEqual([]);
  });
});

describe('files', () => {
  it('live in folders that the map knows', () => {
    const folders = new Set(
      sources.filter(({ path }) => path.includes('/')).map(({ path }) => path.split('/')[0] as string),
    );
    expect([...folders].filter((folder) => levelOf(folder) < 0 && !ROOT_FOLDERS.includes(folder))).toEqual([]);
  });

  it('stay small: median ≤ 80 lines, nine of ten ≤ 300, none above 500', () => {
    const lengths = sources.map(({ text }) => text.split('\n').length).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(80);
    expect(lengths[Math.floor(lengths.length * 0.9)]).toBeLessThanOrEqual(300);
    expect(lengths.at(-1)).toBeLessThanOrEqual(500);
  });

  it('read the environment in the composition root alone', () => {
    const readers = sources.filter(
      ({ path, text }) =>
        /process\.env\b/.test(text) && path.includes('/') && !ROOT_FOLDERS.includes(path.split('/')[0] as string),
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });

  it('keep SQL out of doors and operations', () => {
    const speakers = sources.filter(
      ({ path, text }) => /from 'sql-template-tag'/.test(text) && !/(^|\/)(queries(\/|\.ts))|^db\/|^jobs\//.test(path),
    );
    expect(speakers.map(({ path }) => path)).toEqual([]);
  });

  it('keep HTTP out of the domain', () => {
    const domain = ['registry', 'blobs', 'jobs', 'db'];
    const speakers = sources.filter(
      ({ path, text }) => domain.includes(path.split('/')[0] as string) && /from 'koa'|from 'node:http'/.test(text),
    );
    expect(speakers.map(({ path }) => path)).toEqual([]);
  });
});
