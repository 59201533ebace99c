/** What the API takes and gives about names that change. */
import { z } from 'zod';
import type { MoveRow } from '../registry/rename/moves.ts';
import type { RenameEffects } from '../registry/rename/effects.ts';
import { grant, id, showGrant, time } from './shapes.ts';

const inside = (what: string) => z.string().min(1).max(255).describe(`${what}, inside the project, such as web/api.`);
const dryRun = z.boolean().default(false).describe('Changes nothing; the answer is what would come of it.');
const change = z.enum(['stops', 'starts']).describe('Whether it stops, or starts, to match.');

export const projectRename = z.strictObject({ name: z.string().min(1).max(255), dry_run: dryRun });
export const repositoryRename = z.strictObject({
  from: inside('Path of the repository'),
  to: inside('The path that it gets'),
  dry_run: dryRun,
});
export const repositoryMove = z.strictObject({
  from: inside('Path of the repository'),
  to_project: z.string().min(1).max(255),
  to: z.string().min(1).max(255).describe('Its path in the other project.'),
  dry_run: dryRun,
});

export const renamed = z.object({
  before: z.string(),
  after: z.string(),
  dry_run: z.boolean(),
  effects: z.object({
    grants: z
      .array(z.object({ project: z.string(), change, grant }))
      .describe('A grant goes by paths inside its project, so another name of the project changes none.'),
    rules: z
      .array(
        z.object({
          kind: z.enum(['immutability', 'webhook', 'retention']),
          id: id.describe('Of retention, which rule of the policy, from 1.'),
          project: z.string(),
          paths: z.array(z.string()),
          change,
        }),
      )
      .describe('Rules on immutable tags and on retention, and webhooks.'),
    more_grants: z.boolean().describe('There are more than the 1,000 listed here.'),
    tokens: z.array(z.object({ id, name: z.string(), change })).describe('Your own tokens with limits of path.'),
    others_tokens: z.object({ stops: z.int(), starts: z.int() }).describe('How many tokens of other people.'),
  }),
});

export const showRenamed = (
  asked: { readonly before: string; readonly after: string; readonly dryRun: boolean },
  { grants, rules, more, tokens, othersTokens }: RenameEffects,
): z.input<typeof renamed> => ({
  before: asked.before,
  after: asked.after,
  dry_run: asked.dryRun,
  effects: {
    grants: grants.map((row) => ({ project: row.project, change: row.change, grant: showGrant(row.grant) })),
    rules: rules.map((row) => ({
      kind: row.kind,
      id: String(row.id),
      project: row.project,
      paths: row.paths,
      change: row.change,
    })),
    more_grants: more,
    tokens: tokens.map((row) => ({ ...row, id: String(row.id) })),
    others_tokens: { ...othersTokens },
  },
});

export const alias = z.object({
  alias: z.string().describe('What is kept: a former name of the project, or a path in it.'),
  name: z.string().optional().describe('What is called so now; absent when it moved to where you may not see it.'),
  created_at: time.describe('When it became a former name.'),
});

export const move = z.object({
  id,
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  from: z.string().describe('Path inside the project that it leaves.'),
  from_project: z.string().optional().describe('Absent where you may not see it.'),
  to: z.string(),
  to_project: z.string().optional().describe('Absent where you may not see it.'),
  manifests: z.int().describe('Counted when the move began.'),
  blobs: z.int(),
  error: z.string().optional().describe('Why it failed. Nothing was changed then.'),
  created_at: time,
  finished_at: time.optional(),
});

/** What a move will do, and the move, which goes on by itself. */
export const moveRequested = renamed.extend({ move: move.optional().describe('Absent when nothing was asked for.') });

/** @param sees which of the two projects the reader may see */
export const showMove = (row: MoveRow, sees: { from: boolean; to: boolean }): z.input<typeof move> => ({
  id: String(row.id),
  state: row.state,
  from: row.fromPath,
  ...(sees.from && { from_project: row.fromProject }),
  to: row.toPath,
  ...(sees.to && { to_project: row.toProject }),
  manifests: row.manifests,
  blobs: row.blobs,
  ...(row.error !== null && { error: row.error }),
  created_at: row.createdAt.toISOString(),
  ...(row.finishedAt && { finished_at: row.finishedAt.toISOString() }),
});
