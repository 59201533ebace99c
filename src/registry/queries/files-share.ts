import sql from 'sql-template-tag';
import type { Principal } from '../../auth/principal.ts';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

export interface ShareRow {
  id: number;
  repository: string;
  version: string;
  path: string;
  action: 'pull' | 'push';
  created_by: string;
  created_at: Date;
  expires_at: Date;
}

export async function insertShare(
  tx: Transaction,
  share: {
    secretHash: Buffer;
    repositoryId: number;
    version: string;
    path: string;
    action: 'pull' | 'push';
    createdBy: number;
    tokenId: number | null;
    seconds: number;
  },
): Promise<Pick<ShareRow, 'id' | 'created_at' | 'expires_at'>> {
  const row = await tx.first<Pick<ShareRow, 'id' | 'created_at' | 'expires_at'>>(sql`
    insert into file_shares (secret_hash, repository_id, version, path, action, created_by, token_id, expires_at)
    values (${share.secretHash}, ${share.repositoryId}, ${share.version}, ${share.path}, ${share.action},
            ${share.createdBy}, ${share.tokenId}, now() + make_interval(secs => ${share.seconds}))
    returning id, created_at, expires_at`);
  return row as Pick<ShareRow, 'id' | 'created_at' | 'expires_at'>;
}

export interface OpenedShare {
  id: number;
  repository_id: number;
  version: string;
  path: string;
  action: 'pull' | 'push';
  principal_id: number;
  principal_kind: Principal['kind'];
  principal_name: string;
  epoch: number;
  admin: boolean;
}

/** A share that holds now, with who made it; none of someone who was disabled, nor of a token that was revoked. */
export function selectOpenShare(db: Queryable, secretHash: Buffer): Promise<OpenedShare | undefined> {
  return db.first<OpenedShare>(sql`
    select s.id, s.repository_id, s.version, s.path, s.action, p.id as principal_id, p.kind as principal_kind,
           p.name as principal_name, p.epoch, coalesce(u.admin, false) as admin
    from file_shares s join principals p on p.id = s.created_by
    left join users u on u.principal_id = p.id left join tokens t on t.id = s.token_id
    where s.secret_hash = ${secretHash} and s.expires_at > now() and p.disabled_at is null
      and (p.expires_at is null or p.expires_at > now()) and t.revoked_at is null`);
}

/** Shares of a project that hold, oldest first; of one person, or (null) of everyone. */
export function selectShares(
  db: Queryable,
  projectId: number,
  createdBy: number | null,
  page: { after: number; limit: number },
): Promise<ShareRow[]> {
  return db.query<ShareRow>(sql`
    select s.id, ${PATH} as repository, s.version, s.path, s.action, p.name as created_by, s.created_at, s.expires_at
    from file_shares s join repositories r on r.id = s.repository_id join principals p on p.id = s.created_by
    left join tokens t on t.id = s.token_id
    where r.project_id = ${projectId} and s.expires_at > now() and t.revoked_at is null and s.id > ${page.after}
      and (${createdBy}::bigint is null or s.created_by = ${createdBy}::bigint)
    order by s.id limit ${page.limit}`);
}

/** The share that is gone, or undefined when the project has none of this id that the person may take back. */
export function deleteShare(
  tx: Transaction,
  projectId: number,
  createdBy: number | null,
  id: number,
): Promise<{ repository: string; version: string; path: string } | undefined> {
  return tx.first<{ repository: string; version: string; path: string }>(sql`
    delete from file_shares s using repositories r
    where s.id = ${id} and r.id = s.repository_id and r.project_id = ${projectId}
      and (${createdBy}::bigint is null or s.created_by = ${createdBy}::bigint)
    returning ${PATH} as repository, s.version, s.path`);
}

export async function deleteExpiredShares(db: Queryable): Promise<void> {
  await db.query(sql`delete from file_shares where expires_at < now()`);
}
