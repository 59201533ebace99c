/**
 * A repository is deleted with all that is in it, into the trash. What lists others goes before what it lists, in batches, so
 * at no moment is an index there whose images are not. What is pushed meanwhile stays.
 */
import type { Transaction } from '../../db/database.ts';
import { enqueue } from '../../jobs/queue.ts';
import { settle, settledDigest } from '../files/build.ts';
import { refuseHeldRepository } from '../holds.ts';
import { hideManifests } from '../queries/manifests.ts';
import { bumpRepositoryEpoch } from '../queries/repositories.ts';
import {
  lockTagsOfAll,
  lockUnlisted,
  markDeleted,
  selectExtent,
  selectListedNow,
  selectStaleTags,
} from '../queries/repository-delete.ts';
import { recordTagMoves, removeTags } from '../queries/tags.ts';
import type { Registry } from '../registry.ts';
import { recordDone, type Doing } from './events.ts';

/** The job that goes on with a repository which is too large for one request. */
export const DELETE_REPOSITORY = 'delete-repository';

/** Manifests that go in one transaction; with more than these in all, a job does the work. */
const BATCH = 1_000;

interface Rest {
  readonly repositoryId: number;
  readonly projectId: number;
  /** Nothing that is newer goes. */
  readonly upTo: number;
  readonly actorId: number | null;
}

/**
 * @returns how many manifests go, and whether a job still has to see to some
 * @throws {Refusal} MANIFEST_HELD
 */
export async function deleteRepository(
  registry: Registry,
  doing: Doing,
): Promise<{ manifests: number; later: boolean }> {
  const { repository, principal } = doing;
  const { db } = registry;
  await refuseHeldRepository(db, repository.id);
  // What files stand for now is what the trash has to give back.
  for (let after = ''; ;) {
    const stale = await selectStaleTags(db, repository.id, after, BATCH);
    for (const { name } of stale) await settledDigest(registry, repository, name);
    if (stale.length < BATCH) break;
    after = (stale.at(-1) as { name: string }).name;
  }
  const { rest, manifests, later } = await db.transaction(async (tx) => {
    const extent = await selectExtent(tx, repository.id, BATCH + 1);
    const { id: repositoryId, projectId } = repository;
    const work: Rest = { repositoryId, projectId, upTo: extent.newest, actorId: principal.id || null };
    const isLarge = extent.manifests > BATCH;
    await markDeleted(tx, repository.id);
    await recordDone(tx, doing, 'repository.deleted', { repository: repository.path });
    if (isLarge) await enqueue(tx, DELETE_REPOSITORY, work, `${DELETE_REPOSITORY} ${repositoryId}`);
    return { rest: work, manifests: extent.manifests, later: isLarge };
  });
  if (!later) await deleteRest(registry, rest);
  return { manifests, later };
}

/** Goes on until nothing is left; safe to run twice, and after being killed. */
export async function deleteRest({ db }: Pick<Registry, 'db'>, rest: Rest): Promise<void> {
  while ((await db.transaction((tx) => hideBatch(tx, rest))) > 0);
}

async function hideBatch(tx: Transaction, { repositoryId, projectId, upTo, actorId }: Rest): Promise<number> {
  const locked = await lockUnlisted(tx, repositoryId, upTo, BATCH);
  const listed = await selectListedNow(
    tx,
    locked.map(({ id }) => id),
  );
  const going = locked.filter(({ id }) => !listed.has(id));
  if (going.length === 0) return 0;
  const tags = new Map<number, string[]>(going.map(({ id }) => [id, []]));
  const digests = new Map(going.map(({ id, digest }) => [id, digest]));
  const names: string[] = [];
  const before: Buffer[] = [];
  for (const tag of await lockTagsOfAll(tx, repositoryId, [...tags.keys()])) {
    const digest = digests.get(tag.manifest_id) as Buffer;
    // Files that came just now are another manifest, and newer.
    if (tag.stale && !(await settle(tx, { id: repositoryId, projectId }, tag.name, digest)).equals(digest)) continue;
    tags.get(tag.manifest_id)?.push(tag.name);
    names.push(tag.name);
    before.push(digest);
  }
  await removeTags(tx, repositoryId, names);
  await recordTagMoves(tx, { repositoryId, actorId, names, before, after: null });
  const manifests = going.map(({ id }) => ({ id, tags: tags.get(id) ?? [] }));
  await hideManifests(tx, repositoryId, manifests, { reason: 'request', runId: null, actorId });
  await bumpRepositoryEpoch(tx, repositoryId);
  return going.length;
}
