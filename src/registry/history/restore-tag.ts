/** A tag goes back to what it said before, also when that is in the trash by now. */
import type { Principal } from '../../auth/principal.ts';
import { digestToBytes, type Digest } from '../../blobs/digest.ts';
import { noteDecision } from '../../jobs/origin.ts';
import { recordEvent } from '../../jobs/outbox.ts';
import type { Kind } from '../kinds.ts';
import { parseManifest } from '../manifest.ts';
import type { Tag } from '../names.ts';
import { everPointedAt, selectStored } from '../queries/restore.ts';
import { prepareRecorder } from '../recorders.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Repository } from '../repositories.ts';
import { targetOf, type Scene } from '../scene.ts';
import { decideTags, putTag } from '../tags.ts';
import { recordRestored } from './events.ts';
import { restoreManifests } from './restore-manifests.ts';

export interface RestoreTag {
  readonly scene: Scene;
  readonly repository: Repository;
  readonly principal: Principal;
  readonly requestId: string;
  readonly tag: Tag;
  readonly digest: Digest;
}

export interface TagRestored {
  /** What the tag said until now; null when it was deleted, undefined when it says so already. */
  readonly before: Digest | null | undefined;
  /** What had to come out of the trash, with what that lists. */
  readonly manifests: readonly Digest[];
}

/**
 * Moves the tag as a push of that manifest would: under the same rights and rules, into the history, with what its kind
 * records. To bring something out of the trash it takes the right to delete as well: who may push has not seen what others
 * removed, and removed for a reason.
 * @throws {Refusal} MANIFEST_UNKNOWN for a digest that the tag never had or that is gone for good, MANIFEST_BLOB_UNKNOWN,
 *   DENIED, TAG_IMMUTABLE, TAG_KIND, UNSUPPORTED for a final version
 */
export async function restoreTag(registry: Registry, request: RestoreTag): Promise<TagRestored> {
  const { scene, repository, principal, requestId, tag, digest } = request;
  const wanted = digestToBytes(digest);
  const [stored] = await selectStored(registry.db, repository.id, [wanted]);
  if (!(await everPointedAt(registry.db, repository.id, tag, wanted))) {
    throw new Refusal('MANIFEST_UNKNOWN', `The tag ${tag} has never been ${digest}; its history lists what it was`);
  }
  if (!stored) throw new Refusal('MANIFEST_UNKNOWN', `${digest} is gone for good; push it again`);
  const mayMove = await decideTags(registry, scene, principal, [tag], 'put');
  const mayUndelete = await registry.gate.decide(principal, 'delete', targetOf(scene));
  const manifest = parseManifest(stored.payload, stored.media_type);
  const record = await prepareRecorder(registry, repository, manifest);
  const actorId = principal.id || null;
  return registry.db.transaction(async (tx) => {
    const options = { leaseSeconds: registry.clocks.lease };
    const restored = await restoreManifests(tx, repository, [stored.id], options);
    if (restored.length > 0 && mayUndelete.effect === 'deny') {
      noteDecision('deny', mayUndelete.reason);
      throw new Refusal('DENIED', `${digest} was deleted; who may delete here can bring it back`);
    }
    const kind = stored.kind as Kind;
    const before = await putTag(tx, { repository, tag, manifestId: stored.id, digest, kind, actorId, mayMove });
    await record?.(tx, stored.id, tag);
    for (const each of restored) await recordRestored(tx, request, { ...each, tags: [] });
    const manifests = restored.map((each) => each.digest);
    if (before === undefined) return { before, manifests };
    await recordEvent(tx, {
      type: 'tag.restored',
      actorId: principal.id,
      projectId: repository.projectId,
      repositoryId: repository.id,
      requestId,
      data: { digest, kind, tags: [tag], before: { [tag]: before } },
    });
    return { before, manifests };
  });
}
