import sql from 'sql-template-tag';
import type { Queryable, Transaction } from '../../db/database.ts';
import { PATH } from './paths.ts';

export interface HoldRow {
  id: number;
  repository: string;
  digest: Buffer;
  ownerKind: string;
  ownerId: string;
  reason: string;
  expiresAt: Date | null;
  createdBy: string | null;
  createdAt: Date;
}

const COLUMNS = sql`
  h.id, ${PATH} as repository, m.digest, h.owner_kind as "ownerKind", h.owner_id as "ownerId", h.reason,
  h.expires_at as "expiresAt", h.created_at as "createdAt", (select name from principals where id = h.created_by) as "createdBy"`;
/** One that has expired counts as none, pruned or not. */
const HOLDS_NOW = sql`(h.expires_at is null or h.expires_at > now())`;

/** Of one project, or of one of its repositories, in the order they were placed. */
export function selectHolds(
  db: Queryable,
  where: { projectId: number; repository: string | null; after: number },
  limit: number,
): Promise<HoldRow[]> {
  return db.query<HoldRow>(sql`
    select ${COLUMNS} from holds h join manifests m on m.id = h.manifest_id join repositories r on r.id = m.repository_id
    where r.project_id = ${where.projectId} and h.id > ${where.after} and ${HOLDS_NOW}
      and (${where.repository}::text is null or ${PATH} = ${where.repository})
    order by h.id limit ${limit}`);
}

export function selectHold(db: Queryable, projectId: number, id: number): Promise<HoldRow | undefined> {
  return db.first<HoldRow>(sql`
    select ${COLUMNS} from holds h join manifests m on m.id = h.manifest_id join repositories r on r.id = m.repository_id
    where r.project_id = ${projectId} and h.id = ${id} and ${HOLDS_NOW}`);
}

export interface NewHold {
  readonly manifestId: number;
  readonly ownerKind: string;
  readonly ownerId: string;
  readonly reason: string;
  readonly expiresAt: Date | null;
  readonly createdBy: number | null;
}

/** Places the hold, or changes reason and end of the one that the owner has there. */
export async function upsertHold(tx: Transaction, hold: NewHold): Promise<number> {
  const row = await tx.first<{ id: number }>(sql`
    insert into holds (manifest_id, owner_kind, owner_id, reason, expires_at, created_by)
    values (${hold.manifestId}, ${hold.ownerKind}, ${hold.ownerId}, ${hold.reason}, ${hold.expiresAt}, ${hold.createdBy})
    on conflict (manifest_id, owner_kind, owner_id) do update
      set reason = excluded.reason, expires_at = excluded.expires_at, created_by = excluded.created_by
    returning id`);
  return (row as { id: number }).id;
}

export async function deleteHold(tx: Transaction, id: number): Promise<boolean> {
  return (await tx.first(sql`delete from holds where id = ${id} returning 1 as ok`)) !== undefined;
}

export interface HeldRow {
  /** The manifest that was asked about. */
  id: number;
  ownerKind: string;
  ownerId: string;
  reason: string;
  /** Of the manifest with the hold: itself, or an index above it. */
  digest: Buffer;
}

/** Those of the manifests that a hold keeps: one on themselves, or on a live index that reaches them. */
export function selectHeld(db: Queryable, manifestIds: readonly number[]): Promise<HeldRow[]> {
  return db.query<HeldRow>(sql`
    with recursive above (id, at) as (
      select id, id from unnest(${manifestIds}::bigint[]) as w (id)
      union
      select above.id, parent.id
      from above join manifests m on m.id = above.at
      join manifest_children c on c.repository_id = m.repository_id and c.child_digest = m.digest
      join manifests parent on parent.id = c.manifest_id and parent.deleted_at is null
    )
    select distinct on (above.id) above.id, h.owner_kind as "ownerKind", h.owner_id as "ownerId", h.reason, m.digest
    from above join holds h on h.manifest_id = above.at and ${HOLDS_NOW} join manifests m on m.id = h.manifest_id
    order by above.id, h.id`);
}

/** Any hold in the repository. */
export function selectHeldInRepository(db: Queryable, repositoryId: number): Promise<HeldRow | undefined> {
  return db.first<HeldRow>(sql`
    select h.manifest_id as id, h.owner_kind as "ownerKind", h.owner_id as "ownerId", h.reason, m.digest
    from holds h join manifests m on m.id = h.manifest_id
    where m.repository_id = ${repositoryId} and m.deleted_at is null and ${HOLDS_NOW} limit 1`);
}

export async function deleteExpiredHolds(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from holds where id in (
      select id from holds where expires_at <= now() order by expires_at limit ${limit} for update skip locked) returning 1 as ok`);
  return rows.length;
}
