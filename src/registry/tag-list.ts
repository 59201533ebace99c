/** The tags of a repository with what people want to know of them. */
import { digestFromBytes, type Digest } from '../blobs/digest.ts';
import type { Queryable } from '../db/database.ts';
import type { Kind } from './kinds.ts';
import { selectTagList } from './queries/tag-list.ts';

export interface TagEntry {
  readonly name: string;
  /** Undefined while files of the version arrive: its manifest is built when somebody asks for it. */
  readonly digest: Digest | undefined;
  readonly kind: Kind;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly size: number;
  readonly pushedAt: Date;
  readonly pushedBy: string | null;
  readonly lastPulledAt: Date | null;
  readonly pulls: number;
}

/** By name, in byte order. */
export async function listTagEntries(
  db: Queryable,
  repositoryId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<TagEntry[]> {
  const rows = await selectTagList(db, repositoryId, page.after ?? '', page.limit);
  return rows.map(({ digest, stale, kind, ...row }) => ({
    ...row,
    kind: kind as Kind,
    digest: stale ? undefined : digestFromBytes(digest),
  }));
}
