import sql, { empty } from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';

export interface UserRow {
  id: number;
  name: string;
  admin: boolean;
  disabled: boolean;
  createdAt: Date;
}

const COLUMNS = sql`p.id, p.name, u.admin, p.disabled_at is not null as disabled, p.created_at as "createdAt"`;

export async function anyUser(db: Queryable): Promise<boolean> {
  return (await db.first(sql`select 1 as found from users limit 1`)) !== undefined;
}

/** Undefined when the name is taken. */
export function insertUser(
  tx: Queryable,
  user: { name: string; passwordHash: string | null; admin: boolean },
): Promise<UserRow | undefined> {
  return tx.first<UserRow>(sql`
    with p as (
      insert into principals (kind, name) values ('user', ${user.name}) on conflict do nothing
      returning id, name, disabled_at, created_at
    ), u as (
      insert into users (principal_id, password_hash, admin)
      select id, ${user.passwordHash}, ${user.admin} from p returning principal_id, admin
    )
    select ${COLUMNS} from p join u on u.principal_id = p.id`);
}

export function selectUser(db: Queryable, name: string): Promise<UserRow | undefined> {
  return db.first<UserRow>(sql`
    select ${COLUMNS} from principals p join users u on u.principal_id = p.id where p.kind = 'user' and p.name = ${name}`);
}

/** By name, in byte order, after `after`. */
export function selectUsers(db: Queryable, after: string | undefined, limit: number): Promise<UserRow[]> {
  return db.query<UserRow>(sql`
    select ${COLUMNS} from principals p join users u on u.principal_id = p.id
    where p.kind = 'user' ${after === undefined ? empty : sql`and p.name > ${after}`} order by p.name limit ${limit}`);
}

/** The rows of all administrators who can sign in, locked in id order, so that two changes cannot both be the last but one. */
export async function lockAdmins(tx: Queryable): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(sql`
    select p.id from principals p join users u on u.principal_id = p.id
    where u.admin and p.disabled_at is null order by p.id for update`);
  return rows.map((row) => row.id);
}

/** Locks the user against every other change. */
export function lockUser(tx: Queryable, name: string): Promise<UserRow | undefined> {
  return tx.first<UserRow>(sql`
    select ${COLUMNS} from principals p join users u on u.principal_id = p.id
    where p.kind = 'user' and p.name = ${name} for update`);
}

export async function updateUser(
  tx: Queryable,
  id: number,
  change: { passwordHash: string | undefined; admin: boolean; disabled: boolean },
): Promise<void> {
  await disablePrincipal(tx, id, change.disabled);
  await tx.query(sql`
    update users set admin = ${change.admin}, password_hash = coalesce(${change.passwordHash ?? null}, password_hash)
    where principal_id = ${id}`);
}

export async function disablePrincipal(tx: Queryable, id: number, disabled: boolean): Promise<void> {
  await tx.query(sql`
    update principals set disabled_at = case when ${disabled} then coalesce(disabled_at, now()) end where id = ${id}`);
}

/** Whatever memory or a registry token remembers of the principal is void from this commit on. */
export async function bumpPrincipal(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`update principals set epoch = epoch + 1 where id = ${id}`);
}
