/**
 * Links that open one file to whoever has them. A share is a credential: the person who made it, narrowed to one action on
 * one file, for a while. So it ends with that person's right, and is checked by the gate like any other.
 */
import { createHash, randomBytes } from 'node:crypto';
import { recordChange, type Actor } from '../../auth/events.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Database } from '../../db/database.ts';
import type { FilePath } from './path.ts';
import * as rows from '../queries/files-share.ts';
import type { Repository } from '../repositories.ts';
import type { Scene } from '../scene.ts';

export type { ShareRow } from '../queries/files-share.ts';

export interface NewShare {
  readonly repository: Repository;
  /** A tag or a digest. */
  readonly version: string;
  readonly path: FilePath;
  readonly action: 'pull' | 'push';
  readonly seconds: number;
}

export type MadeShare = rows.ShareRow & {
  /** Shown this once, stored nowhere. */
  readonly secret: string;
};

/** Who may was decided before. A share does not outlive the credential that it was made with. */
export async function createShare(
  db: Database,
  share: NewShare,
  principal: Principal,
  actor: Actor,
): Promise<MadeShare> {
  const secret = randomBytes(24).toString('base64url');
  const { repository, version, path, action } = share;
  const seconds = Math.min(share.seconds, ((principal.expiresAt ?? Infinity) - Date.now()) / 1000);
  return db.transaction(async (tx) => {
    const tokenId = principal.credential === 'token' ? (principal.credentialId ?? null) : null;
    const row = { repositoryId: repository.id, version, path, action, createdBy: principal.id, tokenId, seconds };
    const made = await rows.insertShare(tx, { ...row, secretHash: hashOf(secret) });
    await recordChange(tx, actor, {
      type: 'share.created',
      projectId: repository.projectId,
      data: { share: made.id, repository: repository.path, version, path, action, expires_at: made.expires_at },
    });
    return { ...made, repository: repository.path, version, path, action, created_by: principal.name, secret };
  });
}

export interface OpenShare {
  readonly principal: Principal;
  /** The one that it is for, whatever that is called by now: the caller looks whether the request means it (`boundTo`). */
  readonly repositoryId: number;
}

/** What the link says it is for must be what the request asks for; undefined also for one that expired or was revoked. */
export async function openShare(
  db: Database,
  secret: string,
  wanted: { version: string; path: string; action: string },
): Promise<OpenShare | undefined> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(secret)) return undefined;
  const share = await rows.selectOpenShare(db, hashOf(secret));
  if (!share) return undefined;
  const { version, path, action } = wanted;
  if (share.version !== version || share.path !== path || share.action !== action) return undefined;
  const principal: Principal = {
    kind: share.principal_kind,
    id: share.principal_id,
    name: `share ${share.id} of ${share.principal_name}`,
    admin: share.admin,
    epoch: share.epoch,
    credential: 'token',
    // Nothing, until the repository is known.
    limits: { actions: [share.action], paths: [] },
  };
  return { principal, repositoryId: share.repository_id };
}

/** The share's principal, for the repository that the request came to; undefined when the link is for another one. */
export function boundTo({ principal, repositoryId }: OpenShare, scene: Scene): Principal | undefined {
  if (scene.repository?.id !== repositoryId) return undefined;
  return { ...principal, limits: { actions: principal.limits?.actions ?? [], paths: [scene.path] } };
}

/** @param createdBy whose; null for everyone's */
export function listShares(
  db: Database,
  projectId: number,
  createdBy: number | null,
  page: { after: number; limit: number },
): Promise<rows.ShareRow[]> {
  return rows.selectShares(db, projectId, createdBy, page);
}

/** From the next request on the link opens nothing. False when there is no such share. */
export function revokeShare(
  db: Database,
  projectId: number,
  createdBy: number | null,
  id: number,
  actor: Actor,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const gone = await rows.deleteShare(tx, projectId, createdBy, id);
    if (!gone) return false;
    await recordChange(tx, actor, { type: 'share.revoked', projectId, data: { share: id, ...gone } });
    return true;
  });
}

export async function pruneShares(db: Database): Promise<void> {
  await rows.deleteExpiredShares(db);
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
