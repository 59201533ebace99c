/** What tags said before: every move, who made it and when, and whether there is a way back. */
import { digestFromBytes, type Digest } from '../../blobs/digest.ts';
import type { Queryable } from '../../db/database.ts';
import { selectMoves, type DigestState } from '../queries/history.ts';

export interface Side {
  readonly digest: Digest;
  /** `live` and `trash` can be restored; `gone` is gone for good. */
  readonly state: DigestState;
}

export interface TagMove {
  readonly id: number;
  readonly tag: string;
  /** Null: the tag was made, or came back. */
  readonly before: Side | null;
  /** Null: it was deleted. */
  readonly after: Side | null;
  /** By the name that it had; null: the hub itself, or not known. */
  readonly actor: string | null;
  readonly at: Date;
}

/** Latest first. Moves of one tag are in the order in which they happened, since each was made under the tag's lock. */
export async function listMoves(
  db: Queryable,
  where: { readonly repositoryId: number; readonly tag: string | null; readonly before: number },
  limit: number,
): Promise<TagMove[]> {
  return (await selectMoves(db, where, limit)).map((row) => ({
    id: row.id,
    tag: row.tag,
    before: row.before && { digest: digestFromBytes(row.before), state: row.beforeState as DigestState },
    after: row.after && { digest: digestFromBytes(row.after), state: row.afterState as DigestState },
    actor: row.actor,
    at: row.at,
  }));
}
