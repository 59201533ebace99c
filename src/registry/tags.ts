/** Tags: registers that move, each move decided, recorded, and made under the tag's row lock (promise P6). */
import type { Principal, Verdict } from '../auth/principal.ts';
import { digestFromBytes, digestToBytes, type Digest } from '../blobs/digest.ts';
import type { Transaction } from '../db/database.ts';
import { noteDecision } from '../jobs/origin.ts';
import { recordEvent } from '../jobs/outbox.ts';
import { settle } from './files/build.ts';
import { refuseMove, refuseReturn } from './immutability.ts';
import { mayReplace, named, type Kind } from './kinds.ts';
import type { Tag } from './names.ts';
import { insertTag, lockTag, moveTag, recordTagMoves, removeTags, selectTagPage, type TagRow } from './queries/tags.ts';
import { Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repositories.ts';
import { targetOf, type Scene } from './scene.ts';

type Change = 'create' | 'overwrite' | 'delete';

/** Throws the denial, if the caller may not make this change to the tag. */
export type TagDecisions = { readonly [change in Change]: (tag: Tag) => void };

/**
 * Asks the gate about every tag before the transaction, so that none is held while it thinks; which of the answers counts
 * (create or overwrite) is known only under the row lock.
 */
export async function decideTags(
  registry: Registry,
  scene: Scene,
  principal: Principal,
  tags: readonly Tag[],
  intent: 'put' | 'delete',
): Promise<TagDecisions> {
  const changes: Change[] = intent === 'put' ? ['create', 'overwrite'] : ['delete'];
  const verdicts = new Map<string, Verdict>();
  for (const tag of tags) {
    for (const change of changes) {
      const action = change === 'delete' ? 'delete' : 'push';
      verdicts.set(`${change} ${tag}`, await registry.gate.decide(principal, action, targetOf(scene, { tag, change })));
    }
  }
  const check = (change: Change) => (tag: Tag) => {
    const verdict = verdicts.get(`${change} ${tag}`);
    if (verdict !== undefined) noteDecision(verdict.effect === 'deny' ? 'deny' : 'allow', verdict.reason);
    if (verdict?.effect === 'deny') {
      throw new Refusal('DENIED', `You may not ${change} the tag ${tag} here`, { tag });
    }
  };
  return { create: check('create'), overwrite: check('overwrite'), delete: check('delete') };
}

/**
 * Points a tag at a manifest. Saying again what it says already changes nothing and is always allowed.
 * @returns what it pointed at before: null when it is new, undefined when it did not move
 */
export async function putTag(
  tx: Transaction,
  put: {
    repository: Repository;
    tag: Tag;
    manifestId: number;
    digest: Digest;
    kind: Kind;
    actorId: number | null;
    mayMove: TagDecisions;
    /** Where the tag has to point, null for nowhere. */
    replaces?: Digest | null;
  },
): Promise<Digest | null | undefined> {
  const { tag, manifestId, actorId } = put;
  const { id: repositoryId } = put.repository;
  const row = { repositoryId, name: tag, manifestId, actorId };
  const after = digestToBytes(put.digest);
  let before: Buffer | null = null;
  while (!(await insertTag(tx, row))) {
    const current = await lockTag(tx, repositoryId, tag);
    if (!current) continue; // deleted between the two statements
    if (current.manifest_id === manifestId && !current.stale) return undefined;
    if (put.replaces !== undefined && put.replaces !== digestFromBytes(current.digest)) throw movedTag(tag);
    put.mayMove.overwrite(tag);
    if (current.final) {
      throw new Refusal('UNSUPPORTED', `Version ${tag} is final; nothing in it changes. Choose another tag`, { tag });
    }
    if (!mayReplace(current.kind as Kind, put.kind)) {
      const kinds = [named(current.kind as Kind), named(put.kind)] as const;
      throw new Refusal('TAG_KIND', `The tag ${tag} is ${kinds[0]}; it cannot become ${kinds[1]}. Delete it first`, {
        tag,
      });
    }
    before = current.stale ? await settle(tx, put.repository, tag, current.digest) : current.digest;
    if (!before.equals(after)) await refuseMove(tx, repositoryId, tag);
    await moveTag(tx, row);
    break;
  }
  if (before === null && put.replaces) throw movedTag(tag);
  if (before === null) {
    put.mayMove.create(tag);
    await refuseReturn(tx, repositoryId, tag, after);
  }
  await recordTagMoves(tx, { repositoryId, actorId, names: [tag], before: [before], after });
  return before && digestFromBytes(before);
}

function movedTag(tag: Tag): Refusal {
  return new Refusal('TAG_MOVED', `The tag ${tag} was moved by somebody else just now; look again`, { tag });
}

/**
 * Takes a tag away; what it pointed at stays.
 * @param refuse throws for a tag that its door does not delete
 * @throws {Refusal} MANIFEST_UNKNOWN, DENIED
 */
export async function deleteTag(
  registry: Registry,
  request: { scene: Scene; repository: Repository; principal: Principal; requestId: string; tag: Tag },
  refuse: (row: TagRow) => void = () => {},
): Promise<void> {
  const { repository, principal, tag } = request;
  const may = await decideTags(registry, request.scene, principal, [tag], 'delete');
  may.delete(tag);
  await registry.db.transaction(async (tx) => {
    const row = await lockTag(tx, repository.id, tag);
    if (!row) throw new Refusal('MANIFEST_UNKNOWN', 'This repository has no such manifest or tag', { reference: tag });
    refuse(row);
    // What was put file by file stays as a manifest without a tag, as what any other tag pointed at does.
    const before = row.stale ? await settle(tx, repository, tag, row.digest) : row.digest;
    await removeTags(tx, repository.id, [tag]);
    await recordTagMoves(tx, {
      repositoryId: repository.id,
      actorId: principal.id || null,
      names: [tag],
      before: [before],
      after: null,
    });
    await recordEvent(tx, {
      type: 'tag.deleted',
      actorId: principal.id,
      projectId: repository.projectId,
      repositoryId: repository.id,
      requestId: request.requestId,
      data: { tag, before: { [tag]: digestFromBytes(row.digest) } },
    });
  });
}

/** More than this is never put in one page, asked for or not. */
export const MAX_TAG_PAGE = 10_000;

export interface TagPage {
  /** The inside of a JSON array of names, in byte order. */
  readonly names: string;
  /** What to ask for next, when there may be more. */
  readonly next: string | undefined;
}

/** A page of tags after `last` (end-8). `n` undefined asks for all of them, as far as a page goes. */
export async function listTags(
  registry: Registry,
  repository: Repository,
  n: number | undefined,
  last: string,
): Promise<TagPage> {
  const limit = Math.min(n ?? MAX_TAG_PAGE, MAX_TAG_PAGE);
  if (limit === 0) return { names: '', next: undefined };
  // One more than the page has room for tells whether there is a next one.
  const { names, count } = await selectTagPage(registry.db, repository.id, last, limit + 1);
  if (names === null) return { names: '', next: undefined };
  if (count <= limit) return { names: `"${names}"`, next: undefined };
  const shown = names.slice(0, names.lastIndexOf('","'));
  return { names: `"${shown}"`, next: shown.slice(shown.lastIndexOf('"') + 1) };
}
