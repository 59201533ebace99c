/** What the API takes and gives about garbage collection. */
import { z } from 'zod';

const time = z.iso.datetime();
const count = z.int().min(0);
const MONTH = 30 * 24 * 60 * 60;

export const counts = z.object({
  manifests: count.describe('Purged from the trash.'),
  orphans: count.describe('Moved to the trash, since what they refer to is gone for good.'),
  links: count.describe('Contents that a repository no longer has.'),
  blobs: count.describe('Contents that no repository has any more.'),
  bytes: count.describe('Of those; they leave the store when the delay for bytes is over.'),
  uploads: count.describe('That nobody continued.'),
  objects: count.describe('That left the store.'),
  object_bytes: count.describe('Of those.'),
});

export const run = counts.extend({
  id: z.string(),
  cause: z.enum(['schedule', 'request', 'command']),
  requested_by: z.string().nullable(),
  started_at: time,
  finished_at: time.nullable(),
  state: z
    .enum(['running', 'finished', 'interrupted'])
    .describe('interrupted: its process ended; its counts are right.'),
});

const queue = z.object({
  waiting: count.describe('100000 means that many or more.'),
  due: count.describe('Of those, what the next run looks at.'),
  oldest_due: time.nullable(),
});

export const state = z.object({
  running: z.boolean(),
  backfilled: z
    .boolean()
    .describe('Whether what an earlier version left has been looked through; until then a preview says too little.'),
  held: z.boolean().describe('Whether a hold keeps all bytes.'),
  clocks: z.object({
    undo_seconds: z.number(),
    delay_seconds: z.number(),
    bytes_delay_seconds: z.number(),
    lease_seconds: z.number(),
  }),
  trash: queue,
  subjects: queue.describe('Manifests that are gone for good, while others refer to them.'),
  links: queue,
  blobs: queue,
  objects: queue.extend({ bytes: count.describe('Of all that wait to leave the store.') }),
});

export const hold = z.object({
  id: z.string(),
  owner_kind: z.string(),
  owner_id: z.string(),
  reason: z.string(),
  created_by: z.string().nullable(),
  created_at: time,
  expires_at: time,
});

const word = z.string().regex(/^[a-z][a-z0-9_-]{0,49}$/, 'Lower case letters, digits, - and _');
export const newHold = z.strictObject({
  owner_kind: word.default('backup').describe('What needs the bytes.'),
  owner_id: z.string().min(1).max(200).describe('Which one of those.'),
  reason: z.string().min(1).max(500),
  expires_in_seconds: z
    .int()
    .min(60)
    .max(MONTH)
    .default(24 * 60 * 60)
    .describe('At most 30 days.'),
});
