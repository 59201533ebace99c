/** The storage folder of a ChartMuseum: archives with their provenance files, below one folder for each tenant. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import type { Candidate, Source } from './source.ts';
import { TransferFailed } from './transfer.ts';

/** ChartMuseum's own depth is rarely above 3. */
const DEEPEST = 16;

/** @throws {TransferFailed} when it is no folder */
export async function folderSource(folder: string): Promise<Source> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new TransferFailed(`${folder} is not a folder`);
  const candidates: Candidate[] = [];
  const unusable: string[] = [];
  await walk(folder, 0);
  return { candidates, unusable };

  async function walk(at: string, depth: number): Promise<void> {
    const entries = await readdir(at, { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      // A link to a folder is not followed: it may lead round in a circle. One to a file is that file.
      if (entry.isDirectory()) {
        if (depth < DEEPEST) await walk(path, depth + 1);
        else unusable.push(`${labelOf(path)}: deeper than ${DEEPEST} folders`);
      } else if (entry.name.endsWith('.tgz')) {
        candidates.push(candidate(at, entry.name, names));
      } else if (entry.name.endsWith('.tgz.prov') && !names.has(entry.name.slice(0, -'.prov'.length))) {
        unusable.push(`${labelOf(path)}: the archive that it belongs to is missing`);
      }
    }
  }

  function candidate(at: string, file: string, names: ReadonlySet<string>): Candidate {
    const path = join(at, file);
    return {
      label: labelOf(path),
      subfolder: labelOf(at),
      claim: undefined,
      archive: () => readFile(path),
      provenance: async () => (names.has(`${file}.prov`) ? readFile(`${path}.prov`) : undefined),
    };
  }

  function labelOf(path: string): string {
    return relative(folder, path).split(sep).join(posix.sep);
  }
}
