/** Shapes of robots, teams, sessions and sign-in. */
import { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import type { Robot } from '../auth/robots.ts';
import type { Member, Team } from '../auth/teams.ts';
import { csrfTokenOf, type Session } from '../auth/sessions.ts';
import { id, password, text, time } from './shapes.ts';

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

export const credentials = z.strictObject({ name: text(255), password });
export const session = z.object({
  id,
  provider: z.string().optional().describe('Which sign-in provider vouched; absent: the password kept here.'),
  address: z.string().optional(),
  user_agent: z.string().optional(),
  current: z.boolean().describe('It is the one that asks.'),
  created_at: time,
  last_seen_at: time,
  expires_at: time,
});
export const startedSession = z.object({
  name: z.string(),
  admin: z.boolean(),
  csrf_token: z.string().describe('Send it as header X-Berth-CSRF with everything but GET and HEAD.'),
  expires_at: time.describe('When it ends in any case.'),
  idle_seconds: z.int().describe('It ends after so long without a request.'),
});
export const sessionState = startedSession.partial().extend({ signed_in: z.boolean() });

export const showSession = (row: Session, current: boolean): z.input<typeof session> => ({
  id: String(row.id),
  ...(row.provider !== null && { provider: row.provider }),
  ...(row.address !== null && { address: row.address }),
  ...(row.userAgent !== null && { user_agent: row.userAgent }),
  current,
  created_at: row.createdAt.toISOString(),
  last_seen_at: row.lastSeenAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
});

export const showStarted = (
  { name, admin }: Principal,
  secret: string,
  row: Session,
  idle: number,
): z.input<typeof startedSession> => ({
  name,
  admin,
  csrf_token: csrfTokenOf(secret),
  expires_at: row.expiresAt.toISOString(),
  idle_seconds: idle,
});
