/** What changed from one version of a chart to another. */
import type { Queryable } from '../../db/database.ts';
import { MAX_CHANGES, type ValueChange } from './compare-values.ts';
import { findTemplates, findText } from './extract.ts';
import type { Dependency } from './metadata.ts';
import { ChartRefused } from './refused.ts';
import { compare, compareYaml, patchOf } from './text.ts';
import type { ChartVersion } from './versions-of.ts';

export interface ChartDiff {
  readonly values: {
    readonly changes: readonly ValueChange[];
    /** There are more. */
    readonly truncated: boolean;
    /** A unified diff with the comments; undefined when the two differ too much. */
    readonly patch: string | undefined;
  };
  readonly templates: readonly FileChange[];
  readonly dependencies: readonly DependencyChange[];
}

export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly patch: string | undefined;
}

export interface DependencyChange {
  readonly name: string;
  readonly before: Dependency | undefined;
  readonly after: Dependency | undefined;
}

/** Beyond so many files, only the names of those that changed. */
const MAX_PATCHES = 200;

/** After so long, only the names of files that changed: what is left of the patches would keep others waiting. */
const PATCHING_MS = 5_000;

/** @throws {TooManyComparisons} */
export function diffVersions(db: Queryable, before: ChartVersion, after: ChartVersion): Promise<ChartDiff> {
  return compare(() => diff(db, before, after));
}

async function diff(db: Queryable, before: ChartVersion, after: ChartVersion): Promise<ChartDiff> {
  const [left = '', right = ''] = await Promise.all(
    [before, after].map((version) => findText(db, version.content, 'values')),
  );
  const same = left === right;
  const changes = same ? [] : await compareYaml('values.yaml', left, right).catch(ignoreUnreadable);
  return {
    values: {
      changes,
      truncated: changes.length >= MAX_CHANGES,
      patch: same ? '' : await patchOf('values.yaml', left, right),
    },
    templates: await diffTemplates(db, before, after),
    dependencies: diffDependencies(before.metadata.dependencies ?? [], after.metadata.dependencies ?? []),
  };
}

/** The patch still says what changed. */
function ignoreUnreadable(error: unknown): ValueChange[] {
  if (error instanceof ChartRefused) return [];
  throw error;
}

async function diffTemplates(db: Queryable, before: ChartVersion, after: ChartVersion): Promise<FileChange[]> {
  const [left, right] = await Promise.all(
    [before, after].map(
      async (version) => new Map((await findTemplates(db, version.content)).map((file) => [file.path, file])),
    ),
  );
  const changes: FileChange[] = [];
  const deadline = performance.now() + PATCHING_MS;
  for (const path of [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])].sort()) {
    const [old, now] = [left?.get(path), right?.get(path)];
    if (old && now && old.size === now.size && old.text === now.text) continue;
    const hasTexts = (old === undefined || old.text !== undefined) && (now === undefined || now.text !== undefined);
    changes.push({
      path,
      change: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed',
      patch:
        hasTexts && changes.length < MAX_PATCHES && performance.now() < deadline
          ? await patchOf(path, old?.text ?? '', now?.text ?? '')
          : undefined,
    });
  }
  return changes;
}

function diffDependencies(before: readonly Dependency[], after: readonly Dependency[]): DependencyChange[] {
  const keyed = (list: readonly Dependency[]) => new Map(list.map((each) => [each.alias ?? each.name, each]));
  const [left, right] = [keyed(before), keyed(after)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .map((name) => ({ name, before: left.get(name), after: right.get(name) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}
