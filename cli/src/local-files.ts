/** What a command line names on this disk: files, and all that is below folders. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { printable, usage } from './errors.ts';
import { whyNotPath } from './paths.ts';

export interface LocalFile {
  readonly file: string;
  /** In the version. */
  readonly path: string;
  readonly size: number;
}

export interface Hashed extends LocalFile {
  readonly digest: string;
}

const MOST_FILES = 10_000;

/** Files of a folder, under their paths in it. @throws {CliError} usage, for what cannot be a file of a version */
export async function filesBelow(folder: string): Promise<LocalFile[]> {
  const root = await realpath(folder);
  const found: LocalFile[] = [];
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else found.push(await localFile(join(root, path), path, root));
    }
  };
  await walk('');
  return checked(found);
}

/** One file, under its own name or another. */
export async function oneFile(file: string, path = basename(resolve(file))): Promise<LocalFile> {
  return localFile(resolve(file), path, undefined);
}

/** @param root a link must not lead out of it */
async function localFile(file: string, path: string, root: string | undefined): Promise<LocalFile> {
  if (root !== undefined && (await lstat(file)).isSymbolicLink()) {
    const target = await realpath(file).catch(() => undefined);
    if (target === undefined || relative(root, target).split(sep)[0] === '..') {
      throw usage(`${printable(file)} is a link that leads out of the folder; copy what it means, or remove it`);
    }
  }
  const { size, ...facts } = await stat(file);
  if (!isFile(facts.mode)) throw usage(`${printable(file)} is neither a file nor a folder`);
  return { file, path: path.normalize('NFC'), size };
}

function isFile(mode: number): boolean {
  return (mode & 0o170000) === 0o100000;
}

/** In byte order of their paths, as a version keeps them. */
export function checked(files: readonly LocalFile[]): LocalFile[] {
  if (files.length === 0) throw usage('There is no file to push');
  if (files.length > MOST_FILES) throw usage(`A version has at most ${MOST_FILES.toLocaleString('en')} files`);
  for (const { path } of files) {
    const reason = whyNotPath(path);
    if (reason !== undefined)
      throw usage(`${JSON.stringify(printable(path))} cannot be a file of a version: ${reason}`);
  }
  const sorted = files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const twice = sorted.find(({ path }, i) => i > 0 && sorted[i - 1]?.path === path);
  if (twice) throw usage(`Two files would be ${twice.path} in the version`);
  return sorted;
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
