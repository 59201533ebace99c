/** Names of files inside a version, by the rules of the hub (docs/files.md, "Paths"), and where they go on this disk. */
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, printable } from './errors.ts';

/** Why the text cannot be a file's path, or undefined when it can. What comes from a hub is judged as well. */
export function whyNotPath(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (Buffer.byteLength(path) > 1_024) return 'it has more than 1,024 bytes';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/u.test(path)) return 'it has a control or invisible character or a backslash';
  if (path.normalize('NFC') !== path) return 'it is not in Unicode normal form C';
  if (/^[A-Za-z]:/.test(path)) return 'it begins with a drive letter';
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') return 'a part of it is empty, . or ..';
    if (Buffer.byteLength(segment) > 255) return 'a part of it has more than 255 bytes';
  }
  return undefined;
}

/**
 * Where a version's file goes below `folder`, whose folders are made. A link on the way is refused: it may lead anywhere.
 * @throws {CliError}
 */
export async function placeFor(folder: string, path: string): Promise<string> {
  const reason = whyNotPath(path);
  if (reason !== undefined) throw new CliError(`The hub names a file ${JSON.stringify(printable(path))}: ${reason}`);
  let at = folder;
  await mkdir(at, { recursive: true });
  for (const segment of path.split('/').slice(0, -1)) {
    at = join(at, segment);
    await mkdir(at).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      if (!(await lstat(at)).isDirectory()) {
        throw new CliError(
          `${at} is no folder, so ${printable(path)} cannot go there; remove it, or choose another --output`,
        );
      }
    });
  }
  const place = join(at, path.slice(path.lastIndexOf('/') + 1));
  const there = await lstat(place).catch(() => undefined);
  if (there?.isDirectory()) throw new CliError(`${place} is a folder, where a file has to go`);
  return place;
}

/** As part of a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
