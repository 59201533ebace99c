/** Tags of a manifest that came back from the trash: given back where they are free and their rules let them. */
import { digestToBytes } from '../../blobs/digest.ts';
import type { Transaction } from '../../db/database.ts';
import { refuseReturn } from '../immutability.ts';
import type { Tag } from '../names.ts';
import { insertTag, recordTagMoves, removeTags } from '../queries/tags.ts';
import type { Recorder } from '../recorders.ts';
import { Refusal } from '../refusal.ts';
import type { TagDecisions } from '../tags.ts';
import type { Doing } from './events.ts';
import type { RestoredManifest } from './restore-manifests.ts';

/** Why a tag stays away. */
export interface Withheld {
  readonly tag: string;
  readonly why: string;
}

/** @returns the tags that point at the manifest again */
export async function giveBack(
  tx: Transaction,
  { repository, principal }: Doing,
  manifest: RestoredManifest,
  how: { readonly may: TagDecisions; readonly record: Recorder | undefined; readonly withheld: Withheld[] },
): Promise<string[]> {
  const given: string[] = [];
  const actorId = principal.id || null;
  for (const tag of [...manifest.tags].sort() as Tag[]) {
    const why = await whyNot(tx, how.may, tag, { repositoryId: repository.id, manifest, actorId });
    if (why === undefined) given.push(tag);
    else how.withheld.push({ tag, why });
  }
  const after = digestToBytes(manifest.digest);
  const before = given.map(() => null);
  await recordTagMoves(tx, { repositoryId: repository.id, actorId, names: given, before, after });
  for (const tag of given) await how.record?.(tx, manifest.id, tag as Tag);
  return given;
}

async function whyNot(
  tx: Transaction,
  may: TagDecisions,
  tag: Tag,
  at: { repositoryId: number; manifest: RestoredManifest; actorId: number | null },
): Promise<string | undefined> {
  const { repositoryId, manifest, actorId } = at;
  if (!(await insertTag(tx, { repositoryId, name: tag, manifestId: manifest.id, actorId }))) {
    return 'the tag points at something else by now; restore it there if that is wrong';
  }
  try {
    may.create(tag);
    await refuseReturn(tx, repositoryId, tag, digestToBytes(manifest.digest));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await removeTags(tx, repositoryId, [tag]);
    return error.message;
  }
}
