/**
 * Holds: somebody needs a manifest, so it stays, with all that it lists, whatever retention, collection or a person wants. A
 * release is deployed, a backup runs, an audit is under way.
 */
import type { Actor } from '../auth/events.ts';
import { digestFromBytes, digestToBytes, type Digest } from '../blobs/digest.ts';
import type { Database, Queryable, Transaction } from '../db/database.ts';
import { recordEvent } from '../jobs/outbox.ts';
import * as rows from './queries/holds.ts';
import { lockManifests } from './queries/manifests.ts';
import { Refusal } from './refusal.ts';
import type { Repository } from './repositories.ts';

export type Hold = Readonly<rows.HoldRow>;

export interface PlaceHold {
  readonly repository: Repository;
  readonly digest: Digest;
  /** What kind of thing needs it, and which: one hold for each on a manifest. */
  readonly ownerKind: string;
  readonly ownerId: string;
  readonly reason: string;
  readonly expiresAt: Date | null;
  readonly actor: Actor;
}

/** Why a manifest stays. */
export interface Held {
  readonly ownerKind: string;
  readonly ownerId: string;
  readonly reason: string;
  /** Of the manifest with the hold: itself, or an index that lists it. */
  readonly digest: Digest;
}

/** In the order they were placed; whoever may see them. */
export function listHolds(
  db: Queryable,
  where: { readonly projectId: number; readonly repository: string | null; readonly after: number },
  limit: number,
): Promise<Hold[]> {
  return rows.selectHolds(db, where, limit);
}

/** Undefined also for one of another project, and for one that has expired. */
export function findHold(db: Queryable, projectId: number, id: number): Promise<Hold | undefined> {
  return rows.selectHold(db, projectId, id);
}

/**
 * Places a hold; the owner's hold on the same manifest gets another reason and end. Of a hold and a delete that meet, one
 * sees the other: both lock the manifest.
 * @throws {Refusal} MANIFEST_UNKNOWN
 */
export async function placeHold(db: Database, hold: PlaceHold): Promise<Hold> {
  const { repository, actor, ownerKind, ownerId, reason, expiresAt } = hold;
  return db.transaction(async (tx) => {
    const [manifest] = await lockManifests(tx, repository.id, [digestToBytes(hold.digest)]);
    if (!manifest) {
      throw new Refusal('MANIFEST_UNKNOWN', 'This repository has no such manifest', { reference: hold.digest });
    }
    const owner = { ownerKind, ownerId, reason, expiresAt, createdBy: actor.id || null };
    const id = await rows.upsertHold(tx, { ...owner, manifestId: manifest.id });
    await record(tx, 'hold.placed', repository, actor, hold);
    const made = await rows.selectHold(tx, repository.projectId, id);
    if (!made) throw new Refusal('UNSUPPORTED', 'The end of the hold has passed; say a later one');
    return made;
  });
}

/** @throws {Refusal} MANIFEST_UNKNOWN when it is gone */
export async function releaseHold(db: Database, repository: Repository, hold: Hold, actor: Actor): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await rows.deleteHold(tx, hold.id))) throw new Refusal('MANIFEST_UNKNOWN', 'The hold was released just now');
    await record(tx, 'hold.released', repository, actor, { ...hold, digest: digestFromBytes(hold.digest) });
  });
}

/** Those of the manifests that stay, and why. Ask with their rows locked against change, in the transaction that deletes. */
export async function heldManifests(db: Queryable, manifestIds: readonly number[]): Promise<ReadonlyMap<number, Held>> {
  const held = manifestIds.length === 0 ? [] : await rows.selectHeld(db, manifestIds);
  return new Map(held.map(({ id, digest, ...why }) => [id, { ...why, digest: digestFromBytes(digest) }]));
}

/** @throws {Refusal} MANIFEST_HELD */
export async function refuseHeld(tx: Transaction, manifestId: number, digest: Digest): Promise<void> {
  const held = (await heldManifests(tx, [manifestId])).get(manifestId);
  if (held) throw manifestHeld(digest, held);
}

/** @throws {Refusal} MANIFEST_HELD when anything in the repository is held */
export async function refuseHeldRepository(db: Queryable, repositoryId: number): Promise<void> {
  const row = await rows.selectHeldInRepository(db, repositoryId);
  if (!row) return;
  const digest = digestFromBytes(row.digest);
  throw manifestHeld(digest, { ...row, digest });
}

function manifestHeld(digest: Digest, { ownerKind, ownerId, reason, digest: at }: Held): Refusal {
  const through = at === digest ? '' : ` through the index ${at}`;
  const message = `Manifest ${digest} is held${through} by ${ownerKind} ${ownerId} (${reason}); release that hold first`;
  return new Refusal('MANIFEST_HELD', message, { owner_kind: ownerKind, owner_id: ownerId, reason });
}

const BATCH = 1_000;

/** Removes holds that have expired. */
export async function pruneHolds(db: Database): Promise<void> {
  while ((await rows.deleteExpiredHolds(db, BATCH)) === BATCH);
}

function record(
  tx: Transaction,
  type: 'hold.placed' | 'hold.released',
  repository: Repository,
  actor: Actor,
  hold: Pick<Hold, 'ownerKind' | 'ownerId' | 'reason' | 'expiresAt'> & { readonly digest: Digest },
): Promise<void> {
  return recordEvent(tx, {
    type,
    actorId: actor.id,
    projectId: repository.projectId,
    repositoryId: repository.id,
    requestId: actor.requestId,
    data: {
      digest: hold.digest,
      owner_kind: hold.ownerKind,
      owner_id: hold.ownerId,
      reason: hold.reason,
      ...(hold.expiresAt && { expires_at: hold.expiresAt.toISOString() }),
    },
  });
}
