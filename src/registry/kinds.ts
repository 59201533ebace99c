/** The one place where a kind of artifact says how it is recognised. */

export type Kind = 'image' | 'index' | 'chart' | 'file' | 'other';

const CONFIG_KINDS = new Map<string, Kind>([
  ['application/vnd.oci.image.config.v1+json', 'image'],
  ['application/vnd.docker.container.image.v1+json', 'image'],
  ['application/vnd.cncf.helm.config.v1+json', 'chart'],
]);

const ARTIFACT_KINDS = new Map<string, Kind>([['application/vnd.berth.file.v1', 'file']]);

const INDEX_TYPES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

export function kindOf(mediaType: string, artifactType: string | undefined, configType: string | undefined): Kind {
  const declared = artifactType && ARTIFACT_KINDS.get(artifactType);
  if (declared) return declared;
  if (INDEX_TYPES.has(mediaType)) return 'index';
  // With an artifactType the config is not what makes it runnable (image-spec, "Guidelines for artifact usage").
  if (artifactType) return 'other';
  return (configType && CONFIG_KINDS.get(configType)) || 'other';
}

/**
 * Whether a tag may move from one kind to the other. Charts and files have doors of their own that rely on what stands
 * behind a tag; everything else may replace everything else.
 */
export function mayReplace(before: Kind, after: Kind): boolean {
  if (before === after) return true;
  const own = new Set<Kind>(['chart', 'file']);
  return !own.has(before) && !own.has(after);
}

/** With its article, for sentences. */
export function named(kind: Kind): string {
  if (kind === 'other') return 'another kind of artifact';
  return `${kind === 'image' || kind === 'index' ? 'an' : 'a'} ${kind}`;
}
