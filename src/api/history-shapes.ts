/** What the API takes and gives about the past: moves of tags, the trash, and what a delete would come to. */
import { z } from 'zod';
import type { Preview } from '../registry/history/preview.ts';
import type { Purged } from '../registry/history/purge.ts';
import type { Side, TagMove } from '../registry/history/tag-history.ts';
import type { Restored, TrashEntry } from '../registry/history/trash.ts';
import { digest, repositoryPath, tag } from './hold-shapes.ts';
import { pageQuery } from './pages.ts';
import { id, time } from './shapes.ts';

export const historyQuery = pageQuery.extend({
  repository: repositoryPath,
  tag: tag.optional().describe('Absent: all of the repository.'),
});
const side = z.object({
  digest: z.string(),
  state: z.enum(['live', 'trash', 'gone']).describe('live and trash can be restored; gone is gone for good.'),
});
export const move = z.object({
  id,
  tag: z.string(),
  before: side.optional().describe('Absent: the tag was made.'),
  after: side.optional().describe('Absent: the tag was deleted.'),
  actor: z.string().optional().describe('By the name that it had.'),
  at: time,
});

export const restoreTag = z.strictObject({
  repository: repositoryPath,
  tag,
  digest: digest.describe('One that the tag had before, as its history says.'),
});
export const tagRestored = z.object({
  tag: z.string(),
  digest: z.string(),
  before: z.string().optional().describe('What the tag said until now.'),
  moved: z.boolean(),
  from_trash: z.array(z.string()).describe('Manifests that had to come out of the trash for it.'),
});

export const trashQuery = pageQuery.extend({ repository: repositoryPath.optional() });
export const trashEntry = z.object({
  repository: z.string(),
  digest: z.string(),
  kind: z.string(),
  artifact_type: z.string().optional(),
  size: z.int().describe('Of the manifest itself, in bytes.'),
  tags: z.array(z.string()).describe('That it had.'),
  reason: z.enum(['request', 'retention', 'orphan']).optional(),
  run_id: id.optional().describe('The run of retention that decided it.'),
  deleted_by: z.string().optional(),
  deleted_at: time,
  restorable_until: time,
});

const digests = z.array(digest).min(1).max(500);
export const trashRestore = z.strictObject({
  repository: repositoryPath,
  digests: digests.optional().describe('Absent: all that is in the trash of the repository, 500 at a time.'),
  tags: z.boolean().default(true).describe('Whether they get back the tags that they had, where these are free.'),
  referrers: z
    .boolean()
    .default(false)
    .describe('Whether signatures, attestations and whatever else refers to them comes back too.'),
});
export const trashRestored = z.object({
  manifests: z
    .array(z.object({ digest: z.string(), kind: z.string(), tags: z.array(z.string()) }))
    .describe('With what they list, which comes along.'),
  withheld: z
    .array(z.object({ tag: z.string(), why: z.string() }))
    .describe('Tags that they had and did not get back.'),
  more: z.boolean().describe('There is more in the trash; send the request again.'),
});

export const purge = z.strictObject({
  repository: repositoryPath.optional().describe('Absent: all of the project.'),
  digests: digests.optional().describe('Absent: all that is in the trash. Needs a repository.'),
  break_leases: z
    .boolean()
    .default(false)
    .describe('Also lets go of blobs that somebody pushed or asked for in the last days.'),
});
const amount = z.object({ blobs: z.int(), bytes: z.int() });
export const purged = z.object({
  manifests: z.int(),
  freed: amount.describe('What left its repository, since nothing there needs it any more.'),
  leased: amount.describe('What will leave it when its leases are over.'),
  kept: z.array(z.object({ digest: z.string(), why: z.string() })),
  more: z.boolean().describe('It did not come to the end; send the request again.'),
});

export const previewOf = z.strictObject({
  repository: repositoryPath,
  digest: digest.optional(),
  tag: tag.optional(),
});
export const preview = z.object({
  refused: z.string().optional().describe('Why the delete would be refused, as things are.'),
  tags: z.array(z.string()).describe('That go.'),
  manifests: z.array(
    z.object({
      digest: z.string(),
      kind: z.string(),
      tags: z.array(z.string()),
      about: z.string().optional().describe('What it refers to; it goes when that is gone for good.'),
    }),
  ),
  unreachable: z
    .array(z.object({ digest: z.string(), kind: z.string() }))
    .describe('Listed by what goes. They stay, but no tag and no index leads to them.'),
  freed: z
    .object({
      repository: amount,
      project: amount.describe('What the project uses less, manifests included.'),
      store: amount.describe('Objects that leave the store.'),
    })
    .describe('When all of it is gone for good.'),
  more: z.boolean().describe('There is more than is listed and counted here.'),
});

export const repositoryQuery = z.strictObject({ repository: repositoryPath });
export const repositoryDeleted = z.object({
  manifests: z.int().describe('That go into the trash; at most 1,001 are counted.'),
  done: z.boolean().describe('False: a job sees to the rest.'),
});

const showSide = (of: Side): z.input<typeof side> => ({ digest: of.digest, state: of.state });

export const showMove = (row: TagMove): z.input<typeof move> => ({
  id: String(row.id),
  tag: row.tag,
  ...(row.before && { before: showSide(row.before) }),
  ...(row.after && { after: showSide(row.after) }),
  ...(row.actor !== null && { actor: row.actor }),
  at: row.at.toISOString(),
});

export const showTrash =
  (undoSeconds: number) =>
  (row: TrashEntry): z.input<typeof trashEntry> => ({
    repository: row.repository,
    digest: row.digest,
    kind: row.kind,
    ...(row.artifactType !== null && { artifact_type: row.artifactType }),
    size: row.size,
    tags: [...row.tags],
    ...(row.reason !== null && { reason: row.reason as 'request' }),
    ...(row.runId !== null && { run_id: String(row.runId) }),
    ...(row.actor !== null && { deleted_by: row.actor }),
    deleted_at: row.at.toISOString(),
    restorable_until: new Date(row.at.getTime() + undoSeconds * 1_000).toISOString(),
  });

export const showRestored = (done: Restored): z.input<typeof trashRestored> => ({
  manifests: done.manifests.map((each) => ({ ...each, tags: [...each.tags] })),
  withheld: done.withheld.map((each) => ({ ...each })),
  more: done.more,
});

export const showPurged = (done: Purged & { readonly more: boolean }): z.input<typeof purged> => ({
  ...done,
  kept: done.kept.map((each) => ({ ...each })),
});

export const showPreview = ({ freed, payloadBytes, ...rest }: Preview): z.input<typeof preview> => ({
  ...(rest.refused !== undefined && { refused: rest.refused }),
  tags: [...rest.tags],
  manifests: rest.manifests.map(({ about, ...each }) => ({
    ...each,
    tags: [...each.tags],
    ...(about !== undefined && { about }),
  })),
  unreachable: rest.unreachable.map((each) => ({ ...each })),
  freed: {
    repository: { blobs: freed.blobs, bytes: freed.bytes },
    project: { blobs: freed.projectBlobs, bytes: freed.projectBytes + payloadBytes },
    store: { blobs: freed.storeBlobs, bytes: freed.storeBytes },
  },
  more: rest.more,
});
