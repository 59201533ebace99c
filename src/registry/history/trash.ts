/** What was deleted: listed, and brought back. */
import { digestFromBytes, digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import { parseManifest } from '../manifest.ts';
import type { Tag } from '../names.ts';
import { selectStoredById } from '../queries/restore.ts';
import {
  selectDeletedTags,
  selectTrash,
  selectTrashed,
  selectTrashedReferrers,
  selectTrashIds,
} from '../queries/trash.ts';
import { prepareRecorder, type Recorder } from '../recorders.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Scene } from '../scene.ts';
import { decideTags } from '../tags.ts';
import { recordRestored, type Doing } from './events.ts';
import { giveBack, type Withheld } from './give-back.ts';
import { restoreManifests, type RestoredManifest } from './restore-manifests.ts';

export interface TrashEntry {
  readonly id: number;
  readonly repository: string;
  readonly digest: Digest;
  readonly kind: string;
  readonly artifactType: string | null;
  /** Of the manifest itself. */
  readonly size: number;
  readonly tags: readonly string[];
  /** Null: an earlier version of the hub deleted it, and did not say why. */
  readonly reason: string | null;
  readonly runId: number | null;
  readonly actor: string | null;
  readonly at: Date;
  readonly micros: number;
}

/** Newest first, whoever may see it. */
export async function listTrash(
  db: Queryable,
  where: {
    readonly projectId: number;
    readonly repository: string | null;
    readonly before: { readonly micros: number; readonly id: number } | undefined;
  },
  limit: number,
): Promise<TrashEntry[]> {
  return (await selectTrash(db, where, limit)).map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
}

export interface RestoreRequest extends Doing {
  readonly scene: Scene;
  /** Undefined: as much of the repository's trash as goes at once. */
  readonly digests: readonly Digest[] | undefined;
  /** Whether they get the tags back that they had. */
  readonly tags: boolean;
  /** Whether what refers to them comes back too: signatures, attestations, SBOMs. */
  readonly referrers: boolean;
}

export interface Restored {
  readonly manifests: readonly { readonly digest: Digest; readonly kind: string; readonly tags: readonly string[] }[];
  readonly withheld: readonly Withheld[];
  /** There is more in the trash; ask again. */
  readonly more: boolean;
}

/** Manifests that one request brings back; what they list comes on top. */
export const MAX_RESTORED = 500;

/**
 * Brings manifests back from the trash, all or none of them; what they list comes along.
 * @throws {Refusal} MANIFEST_UNKNOWN for a digest that is neither live nor in the trash, MANIFEST_BLOB_UNKNOWN
 */
export async function restoreFromTrash(registry: Registry, request: RestoreRequest): Promise<Restored> {
  const { scene, repository, principal } = request;
  const ids = await wantedIds(registry, request);
  const more = request.digests === undefined && ids.length > MAX_RESTORED;
  const coming = ids.slice(0, MAX_RESTORED);
  const names = request.tags ? await selectDeletedTags(registry.db, coming) : [];
  const may = await decideTags(registry, scene, principal, names as Tag[], 'put');
  const recorders = request.tags ? await recordersOf(registry, request, coming) : new Map<number, Recorder>();
  const options = { leaseSeconds: registry.clocks.lease };
  return registry.db.transaction(async (tx) => {
    const withheld: Withheld[] = [];
    const manifests: Restored['manifests'][number][] = [];
    for (const manifest of await restoreManifests(tx, repository, coming, options)) {
      const how = { may, record: recorders.get(manifest.id), withheld };
      const asked = request.tags && coming.includes(manifest.id);
      const given = asked ? await giveBack(tx, request, decided(manifest, names), how) : [];
      await recordRestored(tx, request, { ...manifest, tags: given });
      manifests.push({ digest: manifest.digest, kind: manifest.kind, tags: given });
    }
    return { manifests, withheld, more };
  });
}

/** Without tags that nobody was asked about: somebody restored and deleted it again in between. */
function decided(manifest: RestoredManifest, names: readonly string[]): RestoredManifest {
  return { ...manifest, tags: manifest.tags.filter((tag) => names.includes(tag)) };
}

async function wantedIds(registry: Registry, { repository, digests, referrers }: RestoreRequest): Promise<number[]> {
  if (digests === undefined)
    return selectTrashIds(registry.db, repository.id, Number.MAX_SAFE_INTEGER, MAX_RESTORED + 1);
  const rows = await selectTrashed(registry.db, repository.id, digests.map(digestToBytes));
  const found = new Set(rows.map((row) => digestFromBytes(row.digest)));
  const missing = digests.find((digest) => !found.has(digest));
  if (missing !== undefined) {
    throw new Refusal(
      'MANIFEST_UNKNOWN',
      `${missing} is not in the trash of ${repository.path}; look at the list again`,
    );
  }
  const ids = rows.map(({ id }) => id);
  if (!referrers || ids.length === 0) return ids;
  const about = await selectTrashedReferrers(registry.db, repository.id, ids, MAX_RESTORED + 1);
  if (ids.length + about.length > MAX_RESTORED) {
    throw new Refusal('UNSUPPORTED', `That is more than ${MAX_RESTORED} manifests at once; restore fewer of them`);
  }
  return [...ids, ...about];
}

/** What a push of each would record besides it, one after the other: a payload has up to 4 MiB. */
async function recordersOf(
  registry: Registry,
  { repository }: RestoreRequest,
  ids: readonly number[],
): Promise<Map<number, Recorder>> {
  const recorders = new Map<number, Recorder>();
  for (const id of ids) {
    const row = await selectStoredById(registry.db, id, ['chart']);
    const record = row && (await prepareRecorder(registry, repository, parseManifest(row.payload, row.media_type)));
    if (record) recorders.set(id, record);
  }
  return recorders;
}
