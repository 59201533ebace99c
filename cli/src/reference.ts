/** `acme/tools/cli:1.2.3/linux/cli`, or the same as a URL under /files. */
import { usage } from './errors.ts';
import { encodePath, whyNotPath } from './paths.ts';

export interface Reference {
  /** Of a URL; else the hub is the one that is signed in to. */
  readonly origin?: string;
  readonly repository: string;
  /** A tag, a range such as `^1.2`, `latest`, or a digest. */
  readonly version?: string;
  /** '' for the version itself; a folder ends with a slash. */
  readonly path: string;
}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @throws {CliError} usage */
export function parseReference(text: string): Reference {
  const url = /^(https?:\/\/[^/]+)\/(?:files\/)?(.*)$/.exec(text);
  const rest = url ? decode(url[2] as string) : text;
  const parts = /^([^:@]+?)(?:(?::([^/]*)|@(sha256:[0-9a-f]+))(?:\/(.*))?)?$/s.exec(rest);
  const [, name = '', tag, digest, path = ''] = parts ?? [];
  const repository = tag === undefined && digest === undefined ? name.replace(/\/$/, '') : name;
  if (!REPOSITORY.test(repository)) {
    throw usage(`${JSON.stringify(text)} is no reference; write one as team/tools:1.2.3 or team/tools:1.2.3/linux/cli`);
  }
  if (tag === '' || (digest !== undefined && !DIGEST.test(digest))) {
    throw usage(`${JSON.stringify(text)} names no version: after the colon comes a tag, after @ sha256:<64 hex>`);
  }
  const reason = path === '' ? undefined : whyNotPath(path.replace(/\/$/, ''));
  if (reason !== undefined) throw usage(`${JSON.stringify(path)} cannot be a path: ${reason}`);
  const version = tag ?? digest;
  return {
    ...(url && { origin: new URL(url[1] as string).origin }),
    repository,
    ...(version !== undefined && { version }),
    path,
  };
}

/** One that can be written to: by a tag. */
export function requireTag(reference: Reference): string {
  const { version } = reference;
  if (version !== undefined && TAG.test(version)) return version;
  throw usage(`Name the version by a tag, such as ${reference.repository}:1.2.3`);
}

/** Where it is on a hub. */
export function filesPath({ repository, version, path }: Reference): string {
  if (version === undefined) return `/files/${repository}/`;
  return `/files/${named(repository, version)}/${encodePath(path)}`;
}

export function showReference({ repository, version, path }: Reference): string {
  if (version === undefined) return repository;
  return `${repository}${version.startsWith('sha256:') ? '@' : ':'}${version}${path === '' ? '' : `/${path}`}`;
}

function named(repository: string, version: string): string {
  return version.startsWith('sha256:') ? `${repository}@${version}` : `${repository}:${encodeURIComponent(version)}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/[?#].*$/, ''));
  } catch {
    throw usage('The URL is not percent-encoded UTF-8');
  }
}
