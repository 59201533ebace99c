/** Names of files inside a version. They reach shells, archives and other people's disks, so the rules are narrow. */
import { FileRefusal } from './refusal.ts';

declare const brand: unique symbol;
/** `linux/amd64/cli`: relative, normalised (NFC), no segment empty, `.` or `..`. */
export type FilePath = string & { readonly [brand]: 'FilePath' };

const LONGEST_PATH = 1_024;
/** What file systems take in one name. */
const LONGEST_SEGMENT = 255;

/** Control and format characters, line and paragraph separators, halves of surrogate pairs, and the other slash. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/u;

/** Why the text cannot be a file's path, as a sentence, or undefined when it can. */
export function whyNotPath(text: string): string | undefined {
  if (text === '') return 'A file needs a name';
  if (Buffer.byteLength(text) > LONGEST_PATH) return `A file's path has at most ${LONGEST_PATH} bytes`;
  if (FORBIDDEN.test(text)) return 'A path must not have control characters, invisible characters or backslashes';
  if (text.normalize('NFC') !== text) return 'A path must be in Unicode normal form C';
  // On Windows the rest would be a path from there.
  if (/^[A-Za-z]:/.test(text)) return 'A path must not begin with a drive letter such as C:';
  for (const segment of text.split('/')) {
    if (segment === '') return 'A path must not begin or end with a slash, nor have two in a row';
    if (segment === '.' || segment === '..') return 'A path must not have . or .. between its slashes';
    if (Buffer.byteLength(segment) > LONGEST_SEGMENT) {
      return `Between two slashes a path has at most ${LONGEST_SEGMENT} bytes`;
    }
  }
  return undefined;
}

/** @throws {FileRefusal} PATH_INVALID */
export function parseFilePath(text: string): FilePath {
  const reason = whyNotPath(text);
  if (reason !== undefined) throw new FileRefusal('PATH_INVALID', reason);
  return text as FilePath;
}

/** The folders that a file is in, outermost first: `a` and `a/b` for `a/b/c`. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at));
  return folders;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
