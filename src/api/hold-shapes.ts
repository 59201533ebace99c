/** What the API takes and gives about holds. */
import { z } from 'zod';
import { digestFromBytes } from '../blobs/digest.ts';
import type { Hold } from '../registry/holds.ts';
import { pageQuery } from './pages.ts';
import { id, text, time } from './shapes.ts';

export const repositoryPath = z.string().min(1).max(255).describe('Its whole path, such as acme/web.');
export const digest = z.string().max(140).describe('sha256:…');
export const tag = z.string().min(1).max(128);

const ownerKind = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'Lower-case letters, digits and -')
  .describe('What kind of thing needs it: release, backup, audit …');

export const holdQuery = pageQuery.extend({ repository: repositoryPath.optional() });
export const newHold = z.strictObject({
  repository: repositoryPath,
  digest: digest.optional().describe('Of the manifest; or name a tag, which is resolved now.'),
  tag: tag.optional(),
  owner_kind: ownerKind,
  owner_id: text(200).describe('Which one of that kind. It has one hold on a manifest; placing it again changes that.'),
  reason: text(500).describe('For people who want to delete it.'),
  expires_at: z.iso.datetime({ offset: true }).optional().describe('From then on it counts as none; absent: never.'),
});
export const hold = z.object({
  id,
  repository: z.string(),
  digest: z.string(),
  owner_kind: z.string(),
  owner_id: z.string(),
  reason: z.string(),
  expires_at: time.optional(),
  created_by: z.string().optional(),
  created_at: time,
});

export const showHold = (row: Hold): z.input<typeof hold> => ({
  id: String(row.id),
  repository: row.repository,
  digest: digestFromBytes(row.digest),
  owner_kind: row.ownerKind,
  owner_id: row.ownerId,
  reason: row.reason,
  ...(row.expiresAt && { expires_at: row.expiresAt.toISOString() }),
  ...(row.createdBy !== null && { created_by: row.createdBy }),
  created_at: row.createdAt.toISOString(),
});
