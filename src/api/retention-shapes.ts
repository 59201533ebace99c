/** What the API says of retention. */
import { z } from 'zod';
import type { Policy } from '../registry/retention/policies.ts';
import type { Decision, PreviewTotals } from '../registry/retention/preview.ts';
import { MOST_RULES } from '../registry/retention/rule.ts';
import type { Run, RunDecision } from '../registry/retention/runs.ts';
import { pageOf } from './pages.ts';
import { id, time } from './shapes.ts';

const days = z.int().min(0).max(36_500);
const globs = z.array(z.string().max(255)).min(1).max(50);
const kind = z.enum(['image', 'index', 'chart', 'file', 'other']);

export const rule = z.strictObject({
  paths: globs.optional().describe('Globs over paths inside the project, such as web/**; all when absent.'),
  tags: globs.optional().describe('Globs over tags, such as pr-*; all when absent.'),
  except: globs.optional().describe('Tags that the rule says nothing about.'),
  kinds: z.array(kind).min(1).max(5).optional().describe('All when absent.'),
  keep_latest: z.int().min(0).max(10_000).optional().describe('So many of the tags that it covers in each repository.'),
  by: z.enum(['push', 'version']).optional().describe('What latest means; by push when absent.'),
  per: z.enum(['repository', 'major', 'minor']).optional().describe('Keep so many of each major or minor version.'),
  keep_semver: z
    .array(z.string().max(200))
    .min(1)
    .max(20)
    .optional()
    .describe('Ranges of semantic versions: ^1.2, >=3.'),
  keep_pushed_days: days.optional().describe('What was moved in the last days.'),
  keep_pulled_days: days.optional().describe('What was pulled, or pushed, in the last days.'),
  untagged_days: days.optional().describe('Clears manifests that have had neither tag nor pull for longer.'),
});

const rules = z.array(rule).min(1).max(MOST_RULES);

export const policy = z.object({
  rules,
  enabled: z.boolean().describe('Whether the daily run happens.'),
  daily_hour: z.int().nullable().describe('Hour in UTC; null: only when somebody starts a run.'),
  updated_at: time,
  updated_by: z.string().optional(),
});

export const newPolicy = z.strictObject({
  rules,
  enabled: z.boolean().optional(),
  daily_hour: z.int().min(0).max(23).nullable().optional(),
});

export const previewRequest = z.strictObject({
  rules: rules.optional().describe('A draft; the stored policy when absent.'),
  show: z.enum(['deleted', 'kept', 'all']).optional().describe('Which decisions the pages list; deleted when absent.'),
});

export const decision = z.object({
  repository: z.string(),
  kind: z.enum(['tag', 'manifest']),
  name: z.string().optional().describe('Of a tag.'),
  digest: z.string().optional(),
  decision: z.enum(['deleted', 'kept', 'skipped', 'restored']),
  reason: z.string(),
});

const totals = z.object({
  tags_deleted: z.int(),
  tags_kept: z.int(),
  manifests_deleted: z.int(),
  manifests_kept: z.int(),
  bytes: z.int().describe('Of blobs that nothing in the project needs any more, once the trash is emptied.'),
  too_large: z.array(z.string()).describe('Repositories with too much in them to be judged.'),
});

export const previewPage = pageOf(decision).extend({
  totals: totals.optional().describe('On the first page.'),
});

export const run = z.object({
  id,
  state: z.enum(['waiting', 'running', 'done', 'failed', 'undoing', 'undone']),
  trigger: z.enum(['manual', 'daily']),
  started_at: time,
  started_by: z.string().optional(),
  finished_at: time.optional(),
  tags_deleted: z.int(),
  tags_kept: z.int(),
  manifests_deleted: z.int(),
  manifests_kept: z.int(),
  skipped: z.int().describe('Meant to be deleted, and left because something changed meanwhile.'),
  restored: z.int().describe('Tags and manifests that an undo brought back.'),
  bytes: z.int(),
  error: z.string().optional(),
  rules: z.array(rule),
});

export const showPolicy = (row: Policy): z.input<typeof policy> => ({
  rules: [...row.rules] as z.input<typeof rules>,
  enabled: row.enabled,
  daily_hour: row.dailyHour,
  updated_at: row.updatedAt.toISOString(),
  ...(row.updatedBy !== null && { updated_by: row.updatedBy }),
});

export const showTotals = (row: PreviewTotals): z.input<typeof totals> => ({
  tags_deleted: row.tagsDeleted,
  tags_kept: row.tagsKept,
  manifests_deleted: row.manifestsDeleted,
  manifests_kept: row.manifestsKept,
  bytes: row.bytes,
  too_large: [...row.skipped],
});

export const showDecision = (row: Decision | RunDecision): z.input<typeof decision> => ({
  repository: row.repository,
  kind: row.kind,
  ...(row.name !== undefined && { name: row.name }),
  ...(row.digest !== undefined && { digest: row.digest }),
  decision: row.decision,
  reason: row.reason,
});

export const showRun = (row: Run): z.input<typeof run> => ({
  id: String(row.id),
  state: row.state,
  trigger: row.trigger,
  started_at: row.startedAt.toISOString(),
  ...(row.startedBy !== null && { started_by: row.startedBy }),
  ...(row.finishedAt && { finished_at: row.finishedAt.toISOString() }),
  tags_deleted: row.tagsDeleted,
  tags_kept: row.tagsKept,
  manifests_deleted: row.manifestsDeleted,
  manifests_kept: row.manifestsKept,
  skipped: row.skipped,
  restored: row.restored,
  bytes: row.bytes,
  ...(row.error !== null && { error: row.error }),
  rules: [...row.rules] as z.input<typeof rules>,
});
