/** Versions of a repository: resolved from what a URL says, finalised, described, listed, removed. */
import type { Range as SemverRange } from 'semver';
import semver from 'semver';
import type { Principal } from '../../auth/principal.ts';
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { settle } from './build.ts';
import { lockVersion, refuseImmutable, refuseOtherKind, refuseUnlessOpen } from './change.ts';
import { refuseOverflow, type VersionRequest } from './put.ts';
import { checkProperties, type PropertyChange } from './properties.ts';
import { FileRefusal } from './refusal.ts';
import { inTurn } from './turns.ts';
import { parseTag, type Tag } from '../names.ts';
import * as rows from '../queries/files.ts';
import { selectVersionNames, selectVersionPage, type VersionListRow } from '../queries/files-versions.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import type { Scene } from '../scene.ts';
import { decideTags, deleteTag } from '../tags.ts';

/** What stands behind the colon, or the `@`, of a repository. */
export type VersionName =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'range'; readonly range: SemverRange }
  | { readonly kind: 'digest'; readonly digest: Digest };

/**
 * A tag or a range of semantic versions. Whatever could be a tag is one: `1.2` is the tag `1.2`, `^1.2` is a range.
 * @throws {FileRefusal} VERSION_INVALID
 */
export function parseVersion(text: string): VersionName {
  const tag = parseTag(text);
  if (tag) return { kind: 'tag', tag };
  if (/^[\^~<>=*]/.test(text) && text.length <= 128) {
    try {
      return { kind: 'range', range: new semver.Range(text) };
    } catch {
      // Falls through to the refusal.
    }
  }
  throw new FileRefusal(
    'VERSION_INVALID',
    'A version is 1 to 128 of letters, digits, _ . - and starts with a letter, digit or _; to read, a range such as ^1.2 works too',
  );
}

/** A version that is there: a tag, or a manifest by its digest. */
export interface FoundVersion {
  readonly tag: Tag | undefined;
  /** Of the manifest; when `stale`, of one that is older than the files. */
  readonly digest: Digest;
  readonly stale: boolean;
  /** Whether the URL said something else than this tag: `latest`, or a range. */
  readonly resolved: boolean;
}

/** @param scene resolved with the tag that the URL names, if it names one */
export async function findVersion(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal },
  name: VersionName,
): Promise<FoundVersion | undefined> {
  const { scene, repository, principal } = request;
  if (name.kind === 'digest') return { tag: undefined, digest: name.digest, stale: false, resolved: false };
  if (name.kind === 'tag') {
    if (scene.tagDigest) return { tag: name.tag, digest: scene.tagDigest, stale: scene.tagStale, resolved: false };
    if (name.tag !== 'latest') return undefined;
  }
  const range = name.kind === 'range' ? name.range : new semver.Range('*');
  const tag = highest(await selectVersionNames(registry.db, repository.id), range);
  if (tag === undefined) return undefined;
  const now = await registry.scenes.resolve({ path: repository.path, principalId: principal.id, tag });
  return now.tagDigest && { tag, digest: now.tagDigest, stale: now.tagStale, resolved: true };
}

/** The highest version in the range; `1.2.3_b4` is the tag of `1.2.3+b4`. */
function highest(names: readonly { name: string }[], range: SemverRange): Tag | undefined {
  let best: { tag: string; version: semver.SemVer } | undefined;
  for (const { name } of names) {
    const version = semver.parse(name.replace('_', '+'));
    if (!version || !range.test(version)) continue;
    if (!best || semver.compareBuild(version, best.version) > 0) best = { tag: name, version };
  }
  return best?.tag as Tag | undefined;
}

/**
 * Nothing about the version changes from here on, neither here nor under /v2; it can only be removed. Saying it again is
 * allowed.
 * @throws {FileRefusal} VERSION_UNKNOWN
 * @throws {Refusal} TAG_KIND, DENIED
 */
export async function finalise(registry: Registry, request: VersionRequest): Promise<Digest> {
  const { repository, tag, principal } = request;
  const actorId = principal.id || null;
  const may = await decideTags(registry, request.scene, principal, [tag], 'put');
  may.create(tag);
  return inTurn(repository.id, tag, () =>
    registry.db.transaction(async (tx) => {
      const locked = await lockVersion(tx, repository.id, tag, actorId);
      if (!locked) throw unknownVersion();
      const digest = locked.tag.stale ? await settle(tx, repository, tag, locked.tag.digest) : locked.tag.digest;
      if (locked.version.final) return digestFromBytes(digest);
      await rows.finaliseVersion(tx, locked.version.id);
      await recordEvent(tx, {
        type: 'version.finalised',
        actorId: principal.id,
        projectId: repository.projectId,
        repositoryId: repository.id,
        requestId: request.requestId,
        data: { version: tag, digest: digestFromBytes(digest) },
      });
      return digestFromBytes(digest);
    }),
  );
}

/**
 * Sets and removes properties (null), which are annotations of the version's manifest.
 * @throws {FileRefusal} VERSION_UNKNOWN, PROPERTY_INVALID, VERSION_FINAL, VERSION_REFERRED, VERSION_IMMUTABLE
 */
export async function changeProperties(
  registry: Registry,
  request: VersionRequest,
  change: PropertyChange,
): Promise<Record<string, string>> {
  const { repository, tag, principal } = request;
  const actorId = principal.id || null;
  const may = await decideTags(registry, request.scene, principal, [tag], 'put');
  return inTurn(repository.id, tag, () =>
    registry.db.transaction(async (tx) => {
      const locked = await lockVersion(tx, repository.id, tag, actorId);
      if (!locked) throw unknownVersion();
      const { after, replaces, changes } = checkProperties(locked.version.properties, change);
      if (!changes) return after;
      if (replaces) may.overwrite(tag);
      else may.create(tag);
      await refuseUnlessOpen(tx, repository.id, locked);
      await refuseImmutable(tx, repository.id, locked, replaces ? 'replaces' : 'adds');
      refuseOverflow(registry, { ...locked.version, properties: after }, 0, 0);
      const version = { id: locked.version.id, repositoryId: repository.id, name: tag, actorId };
      await rows.updateProperties(tx, { ...version, properties: JSON.stringify(after) });
      return after;
    }),
  );
}

/**
 * Takes the version away, final or not; its manifest stays, by digest.
 * @throws {Refusal} MANIFEST_UNKNOWN, DENIED, and TAG_KIND for what has another door to be deleted at
 */
export function removeVersion(registry: Registry, request: VersionRequest): Promise<void> {
  return deleteTag(registry, request, (tag) => refuseOtherKind(tag, 'it is deleted through /v2, as it was pushed'));
}

/** What is known of a version beside its files; of one that came through /v2 only its tag. */
export async function describeVersion(
  registry: Registry,
  repository: Repository,
  tag: Tag,
): Promise<{ final: boolean; properties: Record<string, string> | undefined }> {
  const row = await rows.selectVersion(registry.db, repository.id, tag);
  return { final: row?.final ?? false, properties: row?.properties };
}

/** Up to `limit` tags after `last` that are not indexes of others, in byte order. */
export function listVersions(
  registry: Registry,
  repository: Repository,
  last: string,
  limit: number,
): Promise<VersionListRow[]> {
  return selectVersionPage(registry.db, repository.id, last, limit);
}

export function unknownVersion(): FileRefusal {
  return new FileRefusal('VERSION_UNKNOWN', 'This repository has no such version');
}
