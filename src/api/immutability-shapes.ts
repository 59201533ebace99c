/** What the API takes and gives about immutable tags. */
import { z } from 'zod';
import type { Rule } from '../registry/immutability-rules.ts';
import { id, time } from './shapes.ts';

const glob = (longest: number, what: string) => z.string().min(1).max(longest).describe(what);

export const newRule = z.strictObject({
  path_glob: glob(255, 'Over paths inside the project; absent: **, all of them.').default('**'),
  tag_glob: glob(128, 'Tags that never move, such as v*; absent: *, all of them.').default('*'),
  tag_except: glob(128, 'Tags that move all the same, such as latest.').optional(),
});
export const rule = z.object({
  id,
  path_glob: z.string(),
  tag_glob: z.string(),
  tag_except: z.string().optional(),
  created_by: z.string().optional(),
  created_at: time,
});

export const showRule = (row: Rule): z.input<typeof rule> => ({
  id: String(row.id),
  path_glob: row.pathGlob,
  tag_glob: row.tagGlob,
  ...(row.tagExcept !== null && { tag_except: row.tagExcept }),
  ...(row.createdBy !== null && { created_by: row.createdBy }),
  created_at: row.createdAt.toISOString(),
});
