/** Who may do what in a project. Every change raises the project's epoch, so it holds from the next request on. */
import type { Database, Queryable } from '../db/database.ts';
import { AccountError } from './errors.ts';
import { recordChange, type Actor } from './events.ts';
import { isPathGlob, isTagGlob } from './glob.ts';
import * as rows from './queries/grants.ts';
import type { Role } from './roles.ts';

/** Who or what can be given a right. A CI session has those of its trust rule, and none of its own. */
export const SUBJECT_TYPES = ['user', 'team', 'robot', 'trust_rule', 'everyone'] as const;
export type SubjectType = (typeof SUBJECT_TYPES)[number];

export interface ProjectGrant {
  readonly id: number;
  readonly subject: string;
  readonly subjectType: SubjectType;
  readonly role: Role;
  /** Over paths inside the project. */
  readonly pathGlob: string;
  readonly tagGlob: string | null;
  readonly createOnly: boolean;
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
}

export interface GrantRequest {
  readonly subject: string;
  /** When absent, a user, unless the subject is `everyone`. */
  readonly subjectType?: SubjectType;
  readonly role: Role;
  /** `**` when absent: everything in the project, and the project itself. */
  readonly pathGlob?: string;
  readonly tagGlob?: string;
  readonly createOnly?: boolean;
  readonly expiresAt?: Date;
}

/** In the order they were made. */
export async function listGrants(
  db: Queryable,
  projectId: number,
  page: { readonly after: number; readonly limit: number },
): Promise<ProjectGrant[]> {
  return (await rows.selectProjectGrants(db, projectId, page.after, page.limit)) as ProjectGrant[];
}

/**
 * Gives a right, or changes the one that the subject has on the same paths and tags.
 * @throws {AccountError} glob-invalid, subject-unknown
 */
export async function putGrant(
  db: Database,
  projectId: number,
  request: GrantRequest,
  actor: Actor,
): Promise<ProjectGrant> {
  const { pathGlob = '**', tagGlob } = request;
  const subjectType = request.subjectType ?? (request.subject === 'everyone' ? 'everyone' : 'user');
  if (!isPathGlob(pathGlob))
    throw new AccountError('glob-invalid', `${JSON.stringify(pathGlob)} is not a path with * or **.`);
  if (tagGlob !== undefined && !isTagGlob(tagGlob)) {
    throw new AccountError('glob-invalid', `${JSON.stringify(tagGlob)} is not a tag with *.`);
  }
  return db.transaction(async (tx) => {
    const subjectId = await rows.selectSubject(tx, projectId, subjectType, request.subject);
    if (subjectId === undefined) {
      throw new AccountError(
        'subject-unknown',
        `There is no ${subjectType.replace('_', ' ')} ${JSON.stringify(request.subject)}.`,
      );
    }
    await rows.bumpProject(tx, projectId);
    const where = { subjectId, projectId, pathGlob, tagGlob: tagGlob ?? null };
    const before = await rows.selectGrantAt(tx, where);
    const grant = await rows.upsertGrant(tx, {
      ...where,
      role: request.role,
      createOnly: request.createOnly ?? false,
      expiresAt: request.expiresAt ?? null,
      createdBy: actor.id,
    });
    await recordChange(tx, actor, { type: 'grant.set', projectId, data: { ...grant, ...(before && { before }) } });
    return grant as ProjectGrant;
  });
}

/** @throws {AccountError} not-found, also for a grant of another project */
export async function findGrant(db: Queryable, projectId: number, id: number): Promise<ProjectGrant> {
  const row = await rows.selectProjectGrant(db, projectId, id);
  if (row === undefined) throw new AccountError('not-found', 'The project has no such grant.');
  return row as ProjectGrant;
}

/**
 * @param expect looks at the grant as it is, under the project's lock; what it throws is thrown
 * @throws {AccountError} not-found, also for a grant of another project
 */
export async function removeGrant(
  db: Database,
  projectId: number,
  id: number,
  actor: Actor,
  expect: (before: ProjectGrant) => void = () => {},
): Promise<void> {
  await db.transaction(async (tx) => {
    await rows.bumpProject(tx, projectId);
    expect(await findGrant(tx, projectId, id));
    const grant = await rows.deleteGrant(tx, projectId, id);
    await recordChange(tx, actor, { type: 'grant.removed', projectId, data: { ...grant } });
  });
}
