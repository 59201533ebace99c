/** Files of a version: put and removed, each in one short transaction under the version's lock. Their bytes are here before. */
import type { Principal } from '../../auth/principal.ts';
import { digestFromBytes, digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import { insertBuilt, recordBuilt } from './build.ts';
import { lockVersion, refuseImmutable, refuseUnlessOpen, type LockedVersion } from './change.ts';
import { MAX_FILES, weightOf, weightWithout, type File } from './manifest.ts';
import { foldersOf, type FilePath } from './path.ts';
import { FileRefusal } from './refusal.ts';
import { inTurn } from './turns.ts';
import { refuseReturn } from '../immutability.ts';
import type { Tag } from '../names.ts';
import * as rows from '../queries/files.ts';
import { insertTag, recordTagMoves, removeTags } from '../queries/tags.ts';
import { requireRoom } from '../quota/room.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import type { Scene } from '../scene.ts';
import { decideTags, type TagDecisions } from '../tags.ts';

/** Who changes which version. */
export interface VersionRequest {
  readonly scene: Scene;
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
  readonly tag: Tag;
}

/** What must be true of a file when it is written (RFC 9110 section 13). */
export interface Condition {
  /** `If-Match`: what the file has to be now; '*' is anything, but something. */
  readonly match?: readonly Digest[] | '*';
  /** `If-None-Match`: what it must not be; '*' is anything at all, so that it is only created. */
  readonly noneMatch?: readonly Digest[] | '*';
}

export interface NewFile {
  readonly path: FilePath;
  /** sha256 of a blob that the repository has. */
  readonly digest: Digest;
  readonly size: number;
}

export interface FilePut {
  readonly path: FilePath;
  readonly outcome: 'created' | 'replaced' | 'unchanged';
}

/** Another request made the tag between our looking and our inserting. */
class Overtaken extends Error {}

/**
 * Adds or replaces files of a version, all of them or none; the version comes into being with its first. Saying again what is
 * there already changes nothing and is always allowed.
 * @throws {Refusal} TAG_KIND, DENIED, TAG_IMMUTABLE for a version that was deleted and may not come back as something else
 * @throws {FileRefusal} PRECONDITION_FAILED, PATH_CONFLICT, VERSION_FINAL, VERSION_REFERRED, VERSION_IMMUTABLE, VERSION_FULL
 */
export async function putFiles(
  registry: Registry,
  request: VersionRequest,
  files: readonly NewFile[],
  condition: Condition = {},
): Promise<FilePut[]> {
  refuseClashes(files);
  const may = await decideTags(registry, request.scene, request.principal, [request.tag], 'put');
  return inTurn(request.repository.id, request.tag, async () => {
    for (;;) {
      try {
        return await registry.db.transaction((tx) => put(tx, registry, request, files, condition, may));
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
  });
}

async function put(
  tx: Transaction,
  registry: Registry,
  request: VersionRequest,
  files: readonly NewFile[],
  condition: Condition,
  may: TagDecisions,
): Promise<FilePut[]> {
  const { repository, tag } = request;
  const actorId = request.principal.id || null;
  const locked = await lockVersion(tx, repository.id, tag, actorId);
  const there = locked ? await rows.selectEntriesAt(tx, locked.version.id, files.map(pathOf)) : [];
  const before = new Map(there.map((row) => [row.path, row]));
  const results = files.map((file): FilePut => {
    const now = before.get(file.path);
    checkCondition(condition, now && digestFromBytes(now.digest), file.path);
    const same = now !== undefined && digestFromBytes(now.digest) === file.digest;
    return { path: file.path, outcome: now === undefined ? 'created' : same ? 'unchanged' : 'replaced' };
  });
  if (results.every(({ outcome }) => outcome === 'unchanged')) return results;
  if (results.some(({ outcome }) => outcome === 'created')) may.create(tag);
  if (results.some(({ outcome }) => outcome === 'replaced')) may.overwrite(tag);
  const linked = await linksOf(tx, repository.id, files);
  const entries = files.map((file) => ({ ...linked(file.digest), path: file.path, media_type: MEDIA_TYPE }));
  if (locked) {
    await refuseUnlessOpen(tx, repository.id, locked);
    if (repository.limited) await requireRoom(tx, request.scene.project?.name ?? '', repository.projectId);
    const replaces = results.some(({ outcome }) => outcome === 'replaced');
    await refuseImmutable(tx, repository.id, locked, replaces ? 'replaces' : 'adds');
    await refuseConflicts(tx, locked, files);
    const freed = there.reduce((sum, row) => sum + weightOf(asFile(row)), 0);
    const weight = entries.reduce((sum, entry) => sum + weightOf(asFile(entry)), 0) - freed;
    const added = entries.length - there.length;
    refuseOverflow(registry, locked.version, added, weight);
    await writeAll(tx, request, locked.version.id, entries, { files: added, weight, stale: true });
  } else {
    const sorted = entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
    const weight = entries.reduce((sum, entry) => sum + weightOf(asFile(entry)), 0);
    refuseOverflow(registry, { files: 0, weight: 0, properties: {} }, entries.length, weight);
    const built = await insertBuilt(tx, repository, sorted, {}, actorId);
    const row = { repositoryId: repository.id, name: tag, manifestId: built.id, actorId };
    if (!(await insertTag(tx, row))) throw new Overtaken();
    await refuseReturn(tx, repository.id, tag, built.digest);
    await recordBuilt(tx, repository, tag, null, built.digest, actorId);
    const id = await rows.insertVersion(tx, { repositoryId: repository.id, name: tag, properties: '{}', actorId });
    await writeAll(tx, request, id, entries, { files: entries.length, weight, stale: false });
  }
  const pushed = files.slice(0, MAX_NAMED).map(({ path, digest, size }) => ({ path, digest, size }));
  await recordFileEvent(tx, request, 'file.pushed', { version: tag, count: files.length, files: pushed });
  return results;
}

/** Files that one event names. */
const MAX_NAMED = 100;
/** Of every file that is uploaded here. */
const MEDIA_TYPE = 'application/octet-stream';

function writeAll(
  tx: Transaction,
  request: VersionRequest,
  versionId: number,
  entries: readonly rows.EntryRow[],
  change: { files: number; weight: number; stale: boolean },
): Promise<void> {
  return rows.writeEntries(tx, {
    versionId,
    repositoryId: request.repository.id,
    name: request.tag,
    paths: entries.map((entry) => entry.path),
    blobIds: entries.map((entry) => entry.blob_id),
    mediaTypes: entries.map((entry) => entry.media_type),
    actorId: request.principal.id || null,
    ...change,
  });
}

/**
 * Takes a file out of its version; the version goes with its last.
 * @throws {Refusal} DENIED, TAG_KIND
 * @throws {FileRefusal} FILE_UNKNOWN, PRECONDITION_FAILED, VERSION_FINAL, VERSION_REFERRED, VERSION_IMMUTABLE
 */
export async function removeFile(
  registry: Registry,
  request: VersionRequest,
  path: FilePath,
  condition: Condition = {},
): Promise<void> {
  const { repository, tag } = request;
  const actorId = request.principal.id || null;
  const may = await decideTags(registry, request.scene, request.principal, [tag], 'delete');
  may.delete(tag);
  await inTurn(repository.id, tag, () =>
    registry.db.transaction(async (tx) => {
      const locked = await lockVersion(tx, repository.id, tag, actorId);
      const [row] = locked ? await rows.selectEntriesAt(tx, locked.version.id, [path]) : [];
      checkCondition(condition, row && digestFromBytes(row.digest), path);
      if (!locked || !row) throw unknownFile();
      await refuseUnlessOpen(tx, repository.id, locked);
      await refuseImmutable(tx, repository.id, locked, 'replaces');
      if (locked.version.files === 1) {
        await removeTags(tx, repository.id, [tag]);
        const before = [locked.tag.digest];
        await recordTagMoves(tx, { repositoryId: repository.id, actorId, names: [tag], before, after: null });
        await recordFileEvent(tx, request, 'tag.deleted', { tag });
      } else {
        const weight = weightOf(asFile(row));
        const entry = { versionId: locked.version.id, repositoryId: repository.id, name: tag, path, weight, actorId };
        await rows.removeEntry(tx, entry);
      }
      await recordFileEvent(tx, request, 'file.deleted', { version: tag, path });
    }),
  );
}

export function unknownFile(): FileRefusal {
  return new FileRefusal('FILE_UNKNOWN', 'This version has no such file');
}

/** @throws {FileRefusal} PRECONDITION_FAILED */
export function checkCondition({ match, noneMatch }: Condition, now: Digest | undefined, path: string): void {
  const is = (named: readonly Digest[] | '*') => now !== undefined && (named === '*' || named.includes(now));
  if (match !== undefined && !is(match)) {
    throw new FileRefusal('PRECONDITION_FAILED', `${path} is not what If-Match says; look at it again`);
  }
  if (noneMatch !== undefined && is(noneMatch)) {
    throw new FileRefusal('PRECONDITION_FAILED', `${path} is there already, and If-None-Match says it must not be`);
  }
}

function pathOf(file: { path: string }): string {
  return file.path;
}

function asFile(row: rows.EntryRow): File {
  return { path: row.path, digest: digestFromBytes(row.digest), size: row.size, mediaType: row.media_type };
}

async function linksOf(
  tx: Transaction,
  repositoryId: number,
  files: readonly NewFile[],
): Promise<(digest: Digest) => rows.LinkedBlob> {
  const digests = [...new Set(files.map((file) => file.digest))].map(digestToBytes);
  const linked = new Map(
    (await rows.lockLinkedBlobs(tx, repositoryId, digests)).map((row) => [digestFromBytes(row.digest), row]),
  );
  return (digest) => {
    const row = linked.get(digest);
    if (!row) throw new FileRefusal('FILE_UNKNOWN', 'The bytes of this file were deleted just now; send it again');
    return row;
  };
}

/** A name cannot be a file and a folder. */
async function refuseConflicts(tx: Transaction, { version }: LockedVersion, files: readonly NewFile[]): Promise<void> {
  const paths = files.map(pathOf);
  const folders = [...new Set(paths.flatMap(foldersOf))];
  const [above] = folders.length > 0 ? await rows.selectEntriesAt(tx, version.id, folders) : [];
  if (above) throw conflict(above.path, 'is a file of this version; nothing can be inside it');
  const inside = await rows.selectEntryInside(tx, version.id, paths);
  if (inside) throw conflict(inside.path, 'is a file of this version, so what is around it is a folder');
}

function refuseClashes(files: readonly NewFile[]): void {
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) throw conflict(path, 'is named twice in this request');
    paths.add(path);
  }
  for (const folder of files.flatMap(({ path }) => foldersOf(path))) {
    if (paths.has(folder)) throw conflict(folder, 'is a file and a folder in this request');
  }
}

function conflict(path: string, why: string): FileRefusal {
  return new FileRefusal('PATH_CONFLICT', `${path} ${why}`);
}

/** @throws {FileRefusal} VERSION_FULL */
export function refuseOverflow(
  { limits }: Registry,
  version: Pick<rows.VersionRow, 'files' | 'weight' | 'properties'>,
  files: number,
  weight: number,
): void {
  if (version.files + files > MAX_FILES) {
    throw new FileRefusal('VERSION_FULL', `A version has at most ${MAX_FILES} files; pack some of them together`);
  }
  if (version.weight + weight + weightWithout(version.properties) > limits.manifest) {
    throw new FileRefusal('VERSION_FULL', 'The names of all files together are too long for one version');
  }
}

function recordFileEvent(
  tx: Transaction,
  { principal, repository, requestId }: VersionRequest,
  type: string,
  data: Record<string, unknown>,
): Promise<void> {
  const { id: repositoryId, projectId } = repository;
  return recordEvent(tx, { type, actorId: principal.id, projectId, repositoryId, requestId, data });
}
