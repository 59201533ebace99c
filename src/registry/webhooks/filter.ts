/** Which events a hook is about. All of what it sets has to match; what an event has nothing of matches no filter on it. */
import { isPathGlob, isTagGlob, matchesPath, matchesTag } from '../../auth/glob.ts';
import { withinProject } from '../../auth/names.ts';
import { digestToBytes, parseDigest } from '../../blobs/digest.ts';
import type { OutboxEvent } from '../queries/webhook-outbox.ts';

export const PREFIX = 'dev.berth.';
const TYPE_PATTERN = /^(?:\*|[a-z*][a-z_*-]*(?:\.[a-z_*-]+)*)$/;

export interface Filter {
  readonly projectId: number | null;
  /** Without the prefix; a star is any run of characters. */
  readonly types: readonly string[];
  /** Inside the project, or for a hook of the hub over whole paths. */
  readonly pathGlob: string | null;
  readonly tagGlob: string | null;
  readonly kinds: readonly string[] | null;
}

/** What is wrong with it, as a sentence. */
export function faultOf({
  types,
  pathGlob,
  tagGlob,
}: Pick<Filter, 'types' | 'pathGlob' | 'tagGlob'>): string | undefined {
  const bad = types.find((type) => !TYPE_PATTERN.test(type));
  if (bad !== undefined)
    return `${JSON.stringify(bad)} is no pattern of event types, such as manifest.pushed or manifest.*.`;
  if (pathGlob !== null && !isPathGlob(pathGlob))
    return 'path_glob takes names with * within a segment and ** across them.';
  if (tagGlob !== null && !isTagGlob(tagGlob)) return 'tag_glob takes the characters of tags and *.';
  return undefined;
}

/** Patterns for SQL's `like`, so that events nobody asked for are not even read. */
export function likePatterns(filters: readonly Filter[]): string[] {
  const types = new Set(filters.flatMap((each) => each.types));
  return [...types].map((type) => PREFIX + type.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%'));
}

/** Everything but the kind, which may have to be looked up. */
export function concerns(filter: Filter, event: OutboxEvent): boolean {
  if (filter.projectId !== null && filter.projectId !== event.projectId) return false;
  const type = event.type.slice(PREFIX.length);
  if (!filter.types.some((pattern) => matchesTag(pattern, type))) return false;
  if (filter.pathGlob !== null) {
    if (event.repositoryId === null || event.repository === null) return false;
    const path = filter.projectId === null ? event.repository : withinProject(event.repository);
    if (!matchesPath(filter.pathGlob, path)) return false;
  }
  const { tagGlob } = filter;
  return tagGlob === null || tagsOf(event).some((tag) => matchesTag(tagGlob, tag));
}

export function tagsOf({ data }: OutboxEvent): string[] {
  const { tags, tag, version } = data ?? {};
  const all = Array.isArray(tags) ? [...(tags as unknown[])] : [];
  return [...all, tag, version].filter((each): each is string => typeof each === 'string');
}

/** The kind where the event itself says it. */
export function kindOf({ type, data }: OutboxEvent): string | undefined {
  const kind = data?.['kind'];
  if (typeof kind === 'string') return kind;
  if (/^dev\.berth\.(?:file|version)\./.test(type)) return 'file';
  return type.startsWith(`${PREFIX}chart.`) ? 'chart' : undefined;
}

/** Manifests that the event is about, as rows keep their digests. */
export function digestsOf({ data }: OutboxEvent): Buffer[] {
  const { digest, before } = data ?? {};
  const all = [digest, ...(typeof before === 'object' && before !== null ? Object.values(before) : [])];
  return all
    .flatMap((each) => (typeof each === 'string' ? (parseDigest(each) ?? []) : []))
    .slice(0, 100)
    .map(digestToBytes);
}
