/** What the API takes and gives, as schemas: the documentation and the checks come from the same lines. */
import { z } from 'zod';
import { pageQuery } from './pages.ts';
import type { User } from '../auth/accounts.ts';
import type { Question } from '../auth/explain.ts';
import { SUBJECT_TYPES, type ProjectGrant } from '../auth/grants.ts';
import type { Explanation } from '../auth/principal.ts';
import type { Token } from '../auth/tokens.ts';
import { ROLES } from '../auth/roles.ts';
import type { Project, RepositoryEntry } from '../registry/projects.ts';

/** Ids are bigint rows; as strings no client rounds them. */
export const id = z.string().regex(/^\d{1,19}$/);
export const time = z.iso.datetime();
const action = z.enum(['pull', 'push', 'delete', 'admin']);
/** Postgres takes no NUL in text. */
export const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'Control characters are not allowed');
export const password = z.string().max(1_024).describe('At least 8 characters.');

export const me = z.object({
  name: z.string(),
  kind: z.string(),
  admin: z.boolean(),
  credential: z.enum(['password', 'session', 'token', 'ci']).describe('What this request was signed in with.'),
  actions: z.array(action).optional().describe('What the token allows at most; absent: everything its owner may.'),
  paths: z.array(z.string()).optional(),
  expires_at: time.optional().describe('When the token ends.'),
});

export const newPassword = z.strictObject({ current_password: password, new_password: password });

export const user = z.object({ name: z.string(), admin: z.boolean(), disabled: z.boolean(), created_at: time });
export const newUser = z.strictObject({
  name: text(64).describe('Lower-case letters and digits, with single . _ or - between them.'),
  password,
  admin: z.boolean().optional(),
});
export const userChange = z.strictObject({
  password: password.optional(),
  admin: z.boolean().optional(),
  disabled: z.boolean().optional(),
});

export const token = z.object({
  id,
  name: z.string(),
  actions: z.array(action),
  paths: z.array(z.string()).optional(),
  expires_at: time,
  last_used_at: time.optional(),
  created_at: time,
});
export const createdToken = token.extend({ token: z.string().describe('Shown this once, stored nowhere.') });
export const newToken = z.strictObject({
  name: text(100).describe('For people, to tell tokens apart.'),
  actions: z.array(action).min(1).max(4).default(['pull', 'push']),
  paths: z
    .array(z.string().max(255))
    .min(1)
    .max(50)
    .optional()
    .describe('Repository paths with * within a segment and ** across segments; absent: wherever you may go.'),
  expires_in_days: z.int().min(1).max(365).default(90),
});

const visibility = z.enum(['private', 'public']);
export const project = z.object({
  name: z.string(),
  kind: z.enum(['hosted', 'proxy']),
  visibility,
  allow_sparse: z.boolean().describe('Manifests may name blobs that are not here.'),
  created_at: time,
});
export const newProject = z.strictObject({
  name: text(64),
  visibility: visibility.optional(),
  allow_sparse: z.boolean().optional(),
});
export const projectChange = z.strictObject({
  visibility: visibility.optional(),
  allow_sparse: z.boolean().optional(),
});

const role = z
  .enum(ROLES)
  .describe('reader: pull. writer: and push. maintainer: and delete. owner: and manage the project.');
const subjectType = z.enum(SUBJECT_TYPES);
export const grant = z.object({
  id,
  subject: z.string(),
  subject_type: subjectType,
  role,
  path_glob: z.string(),
  tag_glob: z.string().optional(),
  create_only: z.boolean(),
  expires_at: time.optional(),
  created_at: time,
});
export const newGrant = z.strictObject({
  subject: text(200).describe('The name of a user, team, robot or trust rule, or everyone.'),
  subject_type: subjectType.optional().describe('Absent: user, or everyone if that is the subject.'),
  role,
  path_glob: z.string().max(255).optional().describe('Over paths inside the project; absent: **.'),
  tag_glob: z.string().max(128).optional().describe('Limits creating, overwriting and deleting tags, never reading.'),
  create_only: z.boolean().optional().describe('May make tags, but not move or delete them.'),
  expires_at: z.iso.datetime({ offset: true }).optional(),
});

export const auditQuery = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional().describe('From this time on.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Before this time.'),
  principal: text(200).optional().describe('By the name that it had.'),
  action: text(100).optional().describe('Such as `grant.set`; `grant.*` is all that begin so.'),
  decision: z.enum(['allow', 'deny']).optional(),
});
export const auditPageQuery = auditQuery.extend(pageQuery.shape);
export const auditProject = text(255).optional().describe('By the name that it had.');
export const auditEntry = z.object({
  seq: z.int().optional().describe('Place in the chain.'),
  id,
  at: z.string().describe('RFC 3339, in UTC, with microseconds.'),
  action: z.string().describe('What happened, or for a denial what was wanted.'),
  decision: z.enum(['allow', 'deny']),
  reason: z.string().optional().describe('Which rule decided.'),
  principal: z.object({ type: z.string(), name: z.string(), id }).optional(),
  credential: z.string().optional(),
  credential_id: id.optional(),
  address: z.string().optional(),
  request_id: z.string().optional(),
  route: z.string().optional(),
  project: z.string().optional(),
  repository: z.string().optional(),
  reference: z.string().optional(),
  data: z.record(z.string(), z.unknown()).describe('Particulars, with before and after.'),
  count: z.int().describe('Denials of the same kind in the same minute that this stands for.'),
  hash: z.string().optional().describe('SHA-256 over the hash before and this entry.'),
});

const question = {
  action,
  tag: z.string().min(1).max(128).optional(),
  change: z
    .enum(['create', 'overwrite', 'delete'])
    .optional()
    .describe('What would happen to the tag; absent: it is made, or deleted if that is the action.'),
};
export const explainQuery = z.strictObject({
  subject: text(200).describe('The name of a user, team, robot or trust rule, or everyone: who has not signed in.'),
  subject_type: subjectType.optional().describe('Absent: user, or everyone if that is the subject.'),
  path: z.string().min(1).max(255).optional().describe('Inside the project; absent: the project itself.'),
  ...question,
});
export const myExplainQuery = z.strictObject({
  path: z.string().min(1).max(255).describe("A repository's path, or the name of a project."),
  ...question,
});
export const explanation = z.object({
  effect: z.enum(['allow', 'warn', 'deny']),
  reason: z.string().describe('Which rule decided.'),
  action,
  path: z.string(),
  tag: z.string().optional(),
  rules: z
    .array(
      z.object({
        grant: id,
        rule: z.string(),
        obstacle: z.string().optional().describe('Why it does not allow this; absent: it does.'),
      }),
    )
    .describe('The grants that the subject has in the project; none when something else decided before.'),
});

export const repository = z.object({ path: z.string(), created_at: time });

export const showUser = (row: User): z.input<typeof user> => ({
  name: row.name,
  admin: row.admin,
  disabled: row.disabled,
  created_at: row.createdAt.toISOString(),
});

export const showToken = (row: Token): z.input<typeof token> => ({
  id: String(row.id),
  name: row.name,
  actions: [...row.actions],
  ...(row.paths && { paths: [...row.paths] }),
  expires_at: row.expiresAt.toISOString(),
  ...(row.lastUsedAt && { last_used_at: row.lastUsedAt.toISOString() }),
  created_at: row.createdAt.toISOString(),
});

export const showProject = (row: Project): z.input<typeof project> => ({
  name: row.name,
  kind: row.kind,
  visibility: row.visibility,
  allow_sparse: row.allowSparse,
  created_at: row.createdAt.toISOString(),
});

export const showGrant = (row: ProjectGrant): z.input<typeof grant> => ({
  id: String(row.id),
  subject: row.subject,
  subject_type: row.subjectType,
  role: row.role,
  path_glob: row.pathGlob,
  ...(row.tagGlob !== null && { tag_glob: row.tagGlob }),
  create_only: row.createOnly,
  ...(row.expiresAt && { expires_at: row.expiresAt.toISOString() }),
  created_at: row.createdAt.toISOString(),
});

export const showExplanation = ({ verdict, rules }: Explanation, asked: Question): z.input<typeof explanation> => ({
  effect: verdict.effect,
  reason: verdict.reason,
  action: asked.action,
  path: asked.path,
  ...(asked.tag !== undefined && { tag: asked.tag }),
  rules: rules.map((rule) => ({ ...rule, grant: String(rule.grant) })),
});

export const showRepository = (row: RepositoryEntry): z.input<typeof repository> => ({
  path: row.path,
  created_at: row.createdAt.toISOString(),
});
