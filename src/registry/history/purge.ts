/** The trash, emptied before its time: at once, for good. */
import { digestFromBytes, digestToBytes, type Digest } from '../../blobs/digest.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Database, Transaction } from '../../db/database.ts';
import { heldManifests } from '../holds.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import {
  lockTrashed,
  removeManifests,
  removeUnusedLinks,
  selectListed,
  selectReposWithTrash,
  selectTrashed,
  selectTrashIds,
  type PurgeRow,
} from '../queries/trash.ts';
import { recordDone } from './events.ts';
import { Refusal } from '../refusal.ts';

export interface PurgePlace {
  readonly id: number;
  readonly path: string;
  readonly projectId: number;
}

export interface PurgeHow {
  readonly principal: Principal;
  readonly requestId: string;
  /**
   * A blob that somebody pushed or asked for in the last days is kept for a while, because that answer was a promise. It may
   * be broken, as by deleting the blob by hand: who was about to use it is told to send it again.
   */
  readonly breakLeases: boolean;
}

export interface Amount {
  readonly blobs: number;
  readonly bytes: number;
}

export interface Purged {
  readonly manifests: number;
  /** Blobs that left their repository, since nothing there needs them any more. */
  readonly freed: Amount;
  /** Blobs that will leave it when their leases are over. */
  readonly leased: Amount;
  /** What stays in the trash, and why. */
  readonly kept: readonly { readonly digest: Digest; readonly why: string }[];
}

export const MAX_PURGED = 500;
const MAX_BATCHES = 20;

/**
 * Purges what is named.
 * @throws {Refusal} MANIFEST_UNKNOWN for a digest that is not in the trash
 */
export async function purgeNamed(
  db: Database,
  place: PurgePlace,
  digests: readonly Digest[],
  how: PurgeHow,
): Promise<Purged> {
  const rows = await selectTrashed(db, place.id, digests.map(digestToBytes));
  const found = new Set(rows.map((row) => digestFromBytes(row.digest)));
  const missing = digests.find((digest) => !found.has(digest));
  if (missing !== undefined) {
    throw new Refusal('MANIFEST_UNKNOWN', `${missing} is not in the trash of ${place.path}; look at the list again`);
  }
  return purge(
    db,
    place,
    rows.map(({ id }) => id),
    how,
  );
}

/**
 * Purges all of a repository's trash, or of all repositories of the project, as far as one request goes.
 * @returns with `more`: it did not come to the end
 */
export async function purgeAll(
  db: Database,
  where: { readonly projectId: number; readonly place: PurgePlace | undefined },
  how: PurgeHow,
): Promise<Purged & { readonly more: boolean }> {
  const places = where.place ? [where.place] : await placesOf(db, where.projectId);
  let total: Purged = { ...NOTHING, kept: [] };
  let batches = 0;
  for (const place of places) {
    // Older rows last: what is listed was there before what lists it.
    for (let below = Number.MAX_SAFE_INTEGER; ;) {
      if (batches++ === MAX_BATCHES) return { ...total, more: true };
      const ids = await selectTrashIds(db, place.id, below, MAX_PURGED);
      if (ids.length === 0) break;
      const purged = await purge(db, place, ids, how);
      total = {
        manifests: total.manifests + purged.manifests,
        freed: added(total.freed, purged.freed),
        leased: added(total.leased, purged.leased),
        kept: [...total.kept, ...purged.kept].slice(0, MAX_PURGED),
      };
      below = ids.at(-1) as number;
    }
  }
  return { ...total, more: places.length === MAX_PLACES };
}

const MAX_PLACES = 1_000;

async function placesOf(db: Database, projectId: number): Promise<PurgePlace[]> {
  const rows = await selectReposWithTrash(db, projectId, 0, MAX_PLACES);
  return rows.map((row) => ({ ...row, projectId }));
}

/** One transaction. What something needs stays: a hold, or an index that is still here, be it in the trash itself. */
function purge(db: Database, place: PurgePlace, ids: readonly number[], how: PurgeHow): Promise<Purged> {
  return db.transaction(async (tx) => {
    const { going, kept } = await sift(tx, place.id, await lockTrashed(tx, ids));
    if (going.length === 0) return { ...NOTHING, kept };
    const needed = await removeManifests(
      tx,
      place.id,
      going.map(({ id }) => id),
    );
    const unused = await removeUnusedLinks(tx, place.id, needed, how.breakLeases);
    const freed = amountOf(unused.filter(({ leased }) => !leased));
    const leased = amountOf(unused.filter((link) => link.leased));
    // What memories know of links that went does not hold any more.
    if (freed.blobs > 0) await bumpRepositoryEpoch(tx, place.id);
    await record(tx, place, how, { going, freed, leased });
    return { manifests: going.length, freed, leased, kept };
  });
}

const NOTHING = { manifests: 0, freed: { blobs: 0, bytes: 0 }, leased: { blobs: 0, bytes: 0 } };

function amountOf(links: readonly { readonly size: number }[]): Amount {
  return { blobs: links.length, bytes: links.reduce((sum, { size }) => sum + size, 0) };
}

function added(a: Amount, b: Amount): Amount {
  return { blobs: a.blobs + b.blobs, bytes: a.bytes + b.bytes };
}

async function sift(tx: Transaction, repositoryId: number, rows: readonly PurgeRow[]) {
  const kept: Purged['kept'][number][] = [];
  const held = await heldManifests(
    tx,
    rows.map(({ id }) => id),
  );
  let going = rows.filter(({ id, digest }) => {
    const hold = held.get(id);
    if (hold) kept.push({ digest: digestFromBytes(digest), why: `held by ${hold.ownerKind} ${hold.ownerId}` });
    return !hold;
  });
  // What stays may list others, which then stay as well.
  for (let before = -1; before !== going.length;) {
    before = going.length;
    const ids = going.map(({ id }) => id);
    const listed = new Map((await selectListed(tx, repositoryId, ids)).map((row) => [row.id, row]));
    going = going.filter(({ id, digest }) => {
      const by = listed.get(id);
      if (by) {
        const where = by.live ? '' : ' in the trash';
        const why = `index ${digestFromBytes(by.parent)}${where} lists it; purge that with it`;
        kept.push({ digest: digestFromBytes(digest), why });
      }
      return !by;
    });
  }
  return { going, kept };
}

/** Digests that one event names. */
const MAX_NAMED = 100;

function record(
  tx: Transaction,
  place: PurgePlace,
  { principal, requestId, breakLeases: broken }: PurgeHow,
  { going, freed, leased }: { going: readonly PurgeRow[]; freed: Amount; leased: Amount },
): Promise<void> {
  return recordDone(tx, { repository: place, principal, requestId }, 'trash.purged', {
    repository: place.path,
    count: going.length,
    digests: going.slice(0, MAX_NAMED).map(({ digest }) => digestFromBytes(digest)),
    freed,
    leased,
    ...(broken && { break_leases: true }),
  });
}
