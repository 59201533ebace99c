/** Shapes of robots, teams, sessions and sign-in. */
import { z } from 'zod';
import type { Robot } from '../auth/robots.ts';
import type { Member, Team } from '../auth/teams.ts';
import { text, time } from './shapes.ts';

export const robot = z.object({
  name: z.string(),
  account: z.string().describe('What grants and `docker login` call it.'),
  description: z.string(),
  disabled: z.boolean(),
  created_at: time,
});
const description = z
  .string()
  .max(500)
  .regex(/^\P{Cc}*$/u, 'Control characters are not allowed');
export const newRobot = z.strictObject({
  name: text(32).describe('Lower-case letters and digits, with single . or _ between them.'),
  description: description.optional(),
});
export const robotChange = z.strictObject({ description: description.optional(), disabled: z.boolean().optional() });

export const team = z.object({ name: z.string(), members: z.int(), created_at: time });
export const newTeam = z.strictObject({
  name: text(64).describe('Lower-case letters and digits, with single . _ or - between them.'),
});
export const member = z.object({
  name: z.string(),
  sources: z.array(z.string()).describe('`local`, or the sign-in providers whose groups say so.'),
});
export const myTeams = z.object({ items: z.array(z.object({ name: z.string() })) });

export const showRobot = (row: Robot): z.input<typeof robot> => ({
  name: row.name,
  account: row.account,
  description: row.description,
  disabled: row.disabled,
  created_at: row.createdAt.toISOString(),
});

export const showTeam = (row: Team): z.input<typeof team> => ({
  name: row.name,
  members: row.members,
  created_at: row.createdAt.toISOString(),
});

export const showMember = (row: Member): z.input<typeof member> => ({ name: row.name, sources: [...row.sources] });
