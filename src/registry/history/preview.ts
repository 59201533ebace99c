/** What a delete would come to: told before, and held to afterwards. */
import type { Principal } from '../../auth/principal.ts';
import { digestFromBytes, digestToBytes, type Digest } from '../../blobs/digest.ts';
import { heldManifests } from '../holds.ts';
import { unknownManifest } from '../manifests.ts';
import type { Reference, Tag } from '../names.ts';
import { selectManifestId, selectParent } from '../queries/manifests.ts';
import {
  selectDependents,
  selectFreed,
  selectUnreachable,
  type DependentRow,
  type FreedRow,
} from '../queries/preview.ts';
import { selectTagsOf } from '../queries/tags.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import type { Scene } from '../scene.ts';
import { decideTags } from '../tags.ts';

export interface Preview {
  /** Why the delete would be refused, as things are; the rest is what it would come to otherwise. */
  readonly refused: string | undefined;
  readonly tags: readonly string[];
  /** What goes into the trash: the manifest at once, what refers to it when the manifest is gone for good. */
  readonly manifests: readonly Going[];
  /** Stay, but only by their digests from then on. */
  readonly unreachable: readonly { readonly digest: Digest; readonly kind: string }[];
  /** When all of `manifests` are gone for good. */
  readonly freed: FreedRow;
  /** Of those payloads: they are in the database, and count in the project. */
  readonly payloadBytes: number;
  /** There is more than is listed; what is freed is then what those come to that are. */
  readonly more: boolean;
}

export interface Going {
  readonly digest: Digest;
  readonly kind: string;
  readonly tags: readonly string[];
  /** What it refers to; undefined for the one that is deleted. */
  readonly about: Digest | undefined;
}

const MAX_LISTED = 1_000;
const NOTHING: FreedRow = { blobs: 0, bytes: 0, projectBlobs: 0, projectBytes: 0, storeBlobs: 0, storeBytes: 0 };

/** @throws {Refusal} MANIFEST_UNKNOWN */
export async function previewDelete(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal },
  reference: Reference,
): Promise<Preview> {
  const { repository } = request;
  if (reference.tag !== undefined) return previewTag(registry, request, reference.tag);
  const bytes = digestToBytes(reference.digest);
  const id = await selectManifestId(registry.db, repository.id, bytes);
  if (id === undefined) throw unknownManifest(reference.digest);
  const rows = await selectDependents(registry.db, repository.id, id, MAX_LISTED + 1);
  const going = goingOf(rows.slice(0, MAX_LISTED));
  const ids = going.map((row) => row.id);
  const unreachable = await selectUnreachable(registry.db, repository.id, ids, MAX_LISTED + 1);
  const tags = (await selectTagsOf(registry.db, repository.id, bytes)).map(({ name }) => name);
  return {
    refused: await whyRefused(registry, request, { id, bytes, tags }),
    tags,
    manifests: going.map((row) => ({
      digest: digestFromBytes(row.digest),
      kind: row.kind,
      tags: row.tags,
      about: row.aboutDigest === null ? undefined : digestFromBytes(row.aboutDigest),
    })),
    unreachable: unreachable.slice(0, MAX_LISTED).map((row) => ({ ...row, digest: digestFromBytes(row.digest) })),
    freed: await selectFreed(registry.db, repository.id, ids),
    payloadBytes: going.reduce((sum, { size }) => sum + size, 0),
    more: rows.length > MAX_LISTED || unreachable.length > MAX_LISTED,
  };
}

/**
 * What follows the first: it refers to something that goes, nobody gave it a name of its own or holds it, and no index lists it
 * that stays. An index that goes may list others, so it is looked at again until nothing is added.
 */
function goingOf([first, ...rows]: readonly DependentRow[]): DependentRow[] {
  if (!first) return [];
  const going = new Map([[first.id, first]]);
  for (let before = 0; before !== going.size;) {
    before = going.size;
    for (const row of rows) {
      const follows = row.about !== null && going.has(row.about) && row.parents.every((parent) => going.has(parent));
      if (follows && !row.named && !row.held && !going.has(row.id)) going.set(row.id, row);
    }
  }
  return [...going.values()];
}

/** Without its tag a manifest stays, so nothing is freed. */
async function previewTag(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal },
  tag: Tag,
): Promise<Preview> {
  if (request.scene.tagDigest === undefined) throw unknownManifest(tag);
  return {
    refused: await mayNotDelete(registry, request, [tag]),
    tags: [tag],
    manifests: [],
    unreachable: [],
    freed: NOTHING,
    payloadBytes: 0,
    more: false,
  };
}

async function whyRefused(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal },
  { id, bytes, tags }: { id: number; bytes: Buffer; tags: readonly string[] },
): Promise<string | undefined> {
  const held = (await heldManifests(registry.db, [id])).get(id);
  if (held) return `It is held by ${held.ownerKind} ${held.ownerId} (${held.reason})`;
  const parent = await selectParent(registry.db, request.repository.id, bytes);
  if (parent) return `Index ${digestFromBytes(parent.digest)} lists it`;
  return mayNotDelete(registry, request, tags as Tag[]);
}

async function mayNotDelete(
  registry: Registry,
  { scene, principal }: { scene: Scene; principal: Principal },
  tags: readonly Tag[],
): Promise<string | undefined> {
  const may = await decideTags(registry, scene, principal, tags, 'delete');
  try {
    for (const tag of tags) may.delete(tag);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}
