/** Quotas, as JSON. */
import { z } from 'zod';
import type { Counted } from '../registry/queries/usage.ts';
import type { Quota, Recount } from '../registry/quota/quota.ts';

const MOST = Number.MAX_SAFE_INTEGER;
const count = z.int().min(0);

export const limits = z.strictObject({
  max_bytes: count.max(MOST).nullable().describe('null: without limit.'),
  max_artifacts: count.max(MOST).nullable().describe('Manifests, of whatever kind; null: without limit.'),
});

export const quota = z.object({
  max_bytes: count.nullable(),
  max_artifacts: count.nullable(),
  used_bytes: count.describe('Each blob once, and the manifests; the trash included.'),
  reserved_bytes: count.describe('Held by uploads that are under way; they count, too.'),
  artifacts: count.describe('Manifests; the trash included.'),
  trash_bytes: count.describe('What purging the trash gives back.'),
  trash_artifacts: count,
});

const counts = z.object({ used_bytes: z.int(), reserved_bytes: z.int(), artifacts: z.int() });

export const recount = z.object({
  before: counts.describe('What the counters said.'),
  after: counts.describe('What is there, and what they say now.'),
  corrected: z.boolean(),
});

export function showQuota(row: Quota): z.input<typeof quota> {
  return {
    max_bytes: row.maxBytes,
    max_artifacts: row.maxArtifacts,
    used_bytes: row.bytes,
    reserved_bytes: row.reserved,
    artifacts: row.artifacts,
    trash_bytes: row.trash.bytes,
    trash_artifacts: row.trash.artifacts,
  };
}

export function showRecount({ counted, actual, links }: Recount): z.input<typeof recount> {
  const [before, after] = [showCounts(counted), showCounts(actual)];
  return { before, after, corrected: links > 0 || JSON.stringify(before) !== JSON.stringify(after) };
}

function showCounts({ bytes, reserved, artifacts }: Counted): z.input<typeof counts> {
  return { used_bytes: bytes, reserved_bytes: reserved, artifacts };
}
