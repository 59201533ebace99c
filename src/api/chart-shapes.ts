/** What the API says of charts. */
import { z } from 'zod';
import type { ChartDiff } from '../registry/charts/diff.ts';
import type { ChartSummary, TemplateFile } from '../registry/charts/extract.ts';
import type { ChartEntry } from '../registry/charts/listing.ts';
import type { ChartVersion } from '../registry/charts/versions-of.ts';

const time = z.iso.datetime();
const json = z.record(z.string(), z.unknown());

export const chart = z.object({
  path: z.string().describe('Of its repository; oci://<host>/<path>.'),
  namespace: z.string().describe('helm repo add <name> <hub>/charts/<namespace>'),
  name: z.string(),
  versions: z.number().int(),
  updated_at: time,
});

export const chartVersion = z.object({
  version: z.string(),
  tag: z.string(),
  digest: z.string().describe('Of the archive.'),
  manifest: z.string().describe('Digest of its manifest.'),
  app_version: z.string().optional(),
  description: z.string().optional(),
  deprecated: z.boolean(),
  created_at: time,
  yanked: z.object({ reason: z.string(), at: time }).optional().describe('Not in index.yaml, but still to be pulled.'),
});

export const chartDetails = chartVersion.extend({
  metadata: json.describe('Chart.yaml.'),
  packed_at: time.optional(),
  files: z.array(z.object({ path: z.string(), size: z.number().int() })),
});

export const chartText = z.object({ version: z.string(), text: z.string().describe('As it is in the archive.') });

export const chartTemplates = z.object({
  version: z.string(),
  templates: z.array(
    z.object({
      path: z.string(),
      size: z.number().int(),
      text: z.string().optional().describe('Absent when it is too large.'),
    }),
  ),
});

export const chartDependencies = z.object({
  version: z.string(),
  dependencies: z.array(json).describe('As Chart.yaml, or requirements.yaml, names them.'),
  locked: z
    .array(z.object({ name: z.string(), version: z.string().optional(), repository: z.string() }))
    .describe('What Chart.lock has pinned.'),
});

export const diffQuery = z.strictObject({ from: z.string().min(1).max(256).describe('The version to compare with.') });

export const chartDiff = z.object({
  from: z.string(),
  to: z.string(),
  values: z.object({
    changes: z.array(z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })),
    truncated: z.boolean(),
    patch: z.string().optional().describe('A unified diff; absent when the two differ too much.'),
  }),
  templates: z.array(
    z.object({ path: z.string(), change: z.enum(['added', 'removed', 'changed']), patch: z.string().optional() }),
  ),
  dependencies: z.array(z.object({ name: z.string(), before: json.optional(), after: json.optional() })),
});

export const yank = z.strictObject({
  reason: z
    .string()
    .min(1)
    .max(500)
    .regex(/^\P{Cc}*$/u, 'Control characters are not allowed'),
});

export const showChart = ({ updatedAt, ...row }: ChartEntry): z.input<typeof chart> => ({
  ...row,
  updated_at: updatedAt.toISOString(),
});

export const showVersion = (row: ChartVersion): z.input<typeof chartVersion> => ({
  version: row.version,
  tag: row.tag,
  digest: row.content,
  manifest: row.manifest,
  ...(row.metadata.appVersion !== undefined && { app_version: row.metadata.appVersion }),
  ...(row.metadata.description !== undefined && { description: row.metadata.description }),
  deprecated: row.metadata.deprecated ?? false,
  created_at: row.createdAt.toISOString(),
  ...(row.yanked && { yanked: { reason: row.yanked.reason, at: row.yanked.at.toISOString() } }),
});

export const showDetails = (row: ChartVersion, summary: ChartSummary | undefined): z.input<typeof chartDetails> => ({
  ...showVersion(row),
  metadata: { ...row.metadata },
  ...(summary?.packedAt !== undefined && { packed_at: summary.packedAt }),
  files: summary ? [...summary.files] : [],
});

export const showTemplates = (version: string, files: readonly TemplateFile[]): z.input<typeof chartTemplates> => ({
  version,
  templates: files.map(({ path, size, text }) => ({ path, size, ...(text !== undefined && { text }) })),
});

export const showDiff = (from: ChartVersion, to: ChartVersion, diff: ChartDiff): z.input<typeof chartDiff> => ({
  from: from.version,
  to: to.version,
  values: {
    changes: [...diff.values.changes],
    truncated: diff.values.truncated,
    ...(diff.values.patch !== undefined && { patch: diff.values.patch }),
  },
  templates: diff.templates.map(({ path, change, patch }) => ({ path, change, ...(patch !== undefined && { patch }) })),
  dependencies: diff.dependencies.map(({ name, before, after }) => ({
    name,
    ...(before && { before: { ...before } }),
    ...(after && { after: { ...after } }),
  })),
});
