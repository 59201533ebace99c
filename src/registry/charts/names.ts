/** Where a chart lives: chart `web` of namespace `acme/charts` is repository `acme/charts/web`, its version the tag. */
import { projectOf } from '../../auth/names.ts';
import { parseRepositoryPath, parseTag, type RepositoryPath, type Tag } from '../names.ts';
import { Refusal } from '../refusal.ts';
import { isVersion, tagOf } from './versions.ts';

declare const brand: unique symbol;
/** Path of the repositories' parent, without a segment `api`: the classic door's own routes begin with that. */
export type Namespace = string & { readonly [brand]: 'Namespace' };

export function parseNamespace(path: string): Namespace | undefined {
  const repository = parseRepositoryPath(path);
  return repository && !path.split('/').includes('api') ? (path as Namespace) : undefined;
}

/** Undefined for a repository that is no chart's place: one component alone has no parent. */
export function placeOf(path: string): { namespace: Namespace; name: string } | undefined {
  const slash = path.lastIndexOf('/');
  const namespace = slash < 0 ? undefined : parseNamespace(path.slice(0, slash));
  return namespace && { namespace, name: path.slice(slash + 1) };
}

/** @throws {Refusal} NAME_INVALID, where helm allows what OCI does not */
export function repositoryOfChart(namespace: Namespace, name: string): RepositoryPath {
  const path = name.includes('/') ? undefined : parseRepositoryPath(`${namespace}/${name}`);
  if (path) return path;
  throw new Refusal(
    'NAME_INVALID',
    `The chart's name ${JSON.stringify(name.slice(0, 100))} cannot be the last part of a repository's name: lower-case ` +
      'letters and digits with single separators . _ - between them, 255 characters with the namespace',
  );
}

/** @throws {Refusal} TAG_INVALID */
export function tagOfVersion(version: string): Tag {
  const tag = parseTag(tagOf(version));
  if (tag) return tag;
  throw new Refusal(
    'TAG_INVALID',
    `The version ${JSON.stringify(version.slice(0, 150))} is longer than the 128 of a tag`,
  );
}

export function fileOf(name: string, version: string): string {
  return `${name}-${version}.tgz`;
}

export function projectOfNamespace(namespace: Namespace): string {
  return projectOf(namespace);
}

/**
 * Repository and tag that a file which is not listed would most likely be: what to ask the gate about before saying so, and
 * where to look when the repository has another name by now.
 */
export function guessChart(namespace: Namespace, file: string): { path: string; tag?: string } {
  const [, name = file, version = ''] = /^(.*?)-(v?\d.*?)(?:\.tgz)?$/.exec(file) ?? [];
  const path = parseRepositoryPath(`${namespace}/${name}`) ?? namespace;
  return { path, ...(isVersion(version) && { tag: tagOf(version) }) };
}
