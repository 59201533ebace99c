/** What a URL under /files names. Parsed from the URL as it came, once, before anything is looked up. */
import { parseDigest } from '../blobs/digest.ts';
import { parseFilePath, type FilePath } from '../registry/files/path.ts';
import { parseVersion, type VersionName } from '../registry/files/versions.ts';
import { parseRepositoryPath, type RepositoryPath } from '../registry/names.ts';
import { FileError } from './errors.ts';

export type Address =
  /** `/files/acme/tools/cli/`: the repository and its versions. */
  | { readonly kind: 'repository'; readonly repository: RepositoryPath }
  /** `/files/acme/tools/cli:1.2.3/linux/`: a folder; the version itself is the folder ''. */
  | {
      readonly kind: 'folder';
      readonly repository: RepositoryPath;
      readonly version: VersionName;
      /** '' or a path that ends with a slash. */
      readonly folder: string;
    }
  /** `/files/acme/tools/cli:1.2.3/linux/cli` */
  | {
      readonly kind: 'file';
      readonly repository: RepositoryPath;
      readonly version: VersionName;
      readonly path: FilePath;
    };

/**
 * @param path of the URL, still percent-encoded, beginning with /files/
 * @throws {FileError | FileRefusal}
 */
export function parseAddress(path: string): Address {
  const segments = path.slice('/files/'.length).split('/').map(decode);
  const at = segments.findIndex((segment) => /[:@]/.test(segment));
  if (at < 0) return { kind: 'repository', repository: repositoryOf(withoutLastEmpty(segments).join('/')) };
  const naming = segments[at] as string;
  const mark = naming.search(/[:@]/);
  const repository = repositoryOf([...segments.slice(0, at), naming.slice(0, mark)].join('/'));
  const version = versionOf(naming[mark] as string, naming.slice(mark + 1));
  const rest = segments.slice(at + 1);
  if (rest.length === 0) return { kind: 'folder', repository, version, folder: '' };
  if (rest.at(-1) !== '') return { kind: 'file', repository, version, path: parseFilePath(rest.join('/')) };
  const folder = rest.length === 1 ? '' : `${parseFilePath(rest.slice(0, -1).join('/'))}/`;
  return { kind: 'folder', repository, version, folder };
}

/** A slash that is written as %2F would be a slash to whoever decodes first, and none to whoever splits first. */
function decode(segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw new FileError(400, 'path-invalid', 'The URL is not percent-encoded UTF-8');
  }
  if (text.includes('/')) throw new FileError(400, 'path-invalid', 'Write slashes as they are, not as %2F');
  return text;
}

function withoutLastEmpty(segments: string[]): string[] {
  return segments.at(-1) === '' ? segments.slice(0, -1) : segments;
}

function repositoryOf(text: string): RepositoryPath {
  const path = parseRepositoryPath(text);
  if (path) return path;
  throw new FileError(
    400,
    'name-invalid',
    'A repository is lower-case words separated by slashes, such as team/tools; then come a colon, the version, and the path: team/tools:1.0/app.tgz',
  );
}

function versionOf(mark: string, text: string): VersionName {
  if (mark === ':') return parseVersion(text);
  const digest = parseDigest(text);
  if (digest) return { kind: 'digest', digest };
  throw new FileError(400, 'version-invalid', 'After @ comes a digest: sha256:<64 hex>, in lower case');
}

/** As a URL path; the version is a tag or a digest. */
export function pathOf(repository: string, version: string, path: string): string {
  const mark = version.includes(':') ? '@' : ':';
  return `/files/${repository}${mark}${version}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
