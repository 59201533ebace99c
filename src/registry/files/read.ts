/** Reading a version's files: one of them, or the list. */
import type { Digest } from '../../blobs/digest.ts';
import { toFile } from './build.ts';
import { filesOf, type File } from './manifest.ts';
import type { FoundVersion } from './versions.ts';
import { findManifest } from '../manifests.ts';
import { selectEntries, selectEntry } from '../queries/files.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';

/** Generated for every version that has no file of this name. */
export const SUMS = 'SHA256SUMS';

/** The file, or undefined. While the version's manifest says what its files are, Postgres is not asked. */
export async function findFile(
  registry: Registry,
  repository: Repository,
  version: FoundVersion,
  path: string,
): Promise<File | undefined> {
  if (version.stale && version.tag !== undefined) {
    const row = await selectEntry(registry.db, repository.id, version.tag, path);
    return row && toFile(row);
  }
  const manifest = await findManifest(registry, repository, version.digest);
  return manifest && filesOf(manifest).files.get(path);
}

/** All files in byte order of their paths, or undefined when there is no such version (any more). */
export async function listFiles(
  registry: Registry,
  repository: Repository,
  version: FoundVersion,
): Promise<File[] | undefined> {
  if (version.stale && version.tag !== undefined) {
    const rows = await selectEntries(registry.db, repository.id, version.tag);
    return rows.length === 0 ? undefined : rows.map(toFile);
  }
  const manifest = await findManifest(registry, repository, version.digest);
  if (!manifest) return undefined;
  return [...filesOf(manifest).files.values()].sort(byPath);
}

/** UTF-8 order is the order of code points, which JavaScript's own is not beyond U+FFFF. */
export function byPath(a: { path: string }, b: { path: string }): number {
  return a.path === b.path ? 0 : Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}

export interface Folder {
  readonly folders: readonly string[];
  readonly files: readonly File[];
}

/**
 * What is directly in a folder: `''`, or a path that ends with a slash.
 * @returns undefined when there is no such folder
 */
export function inFolder(files: readonly File[], folder: string): Folder | undefined {
  const folders = new Set<string>();
  const here: File[] = [];
  for (const file of files) {
    if (!file.path.startsWith(folder)) continue;
    const slash = file.path.indexOf('/', folder.length);
    if (slash < 0) here.push(file);
    else folders.add(file.path.slice(folder.length, slash));
  }
  return folder !== '' && here.length + folders.size === 0 ? undefined : { folders: [...folders], files: here };
}

/** As `sha256sum` writes and checks it; files whose digest is another are not in it. */
export function sumsOf(files: readonly { path: string; digest: Digest }[]): Buffer {
  const lines = files.filter(({ digest }) => digest.startsWith('sha256:'));
  return Buffer.from(lines.map(({ path, digest }) => `${digest.slice(7)}  ${path}\n`).join(''));
}
