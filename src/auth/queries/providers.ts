import sql from 'sql-template-tag';
import type { Queryable } from '../../db/database.ts';
import type { Provider, Settings } from '../providers.ts';

const COLUMNS = sql`p.id, p.name, p.title, p.enabled, p.settings, p.secret_id as "secretId", p.version,
  p.created_at as "createdAt", p.updated_at as "updatedAt"`;

interface Change {
  title: string;
  enabled: boolean;
  settings: Settings;
}

/** Undefined when the name is taken. */
export function insertProvider(
  tx: Queryable,
  provider: Change & { name: string; kind: string },
): Promise<Provider | undefined> {
  return tx.first<Provider>(sql`
    insert into providers as p (name, kind, title, enabled, settings)
    values (${provider.name}, ${provider.kind}, ${provider.title}, ${provider.enabled}, ${JSON.stringify(provider.settings)})
    on conflict do nothing returning ${COLUMNS}`);
}

export function selectProviders(db: Queryable): Promise<Provider[]> {
  return db.query<Provider>(sql`select ${COLUMNS} from providers p order by p.name`);
}

export function selectProvider(db: Queryable, name: string): Promise<Provider | undefined> {
  return db.first<Provider>(sql`select ${COLUMNS} from providers p where p.name = ${name}`);
}

export function selectEnabled(db: Queryable, kind: string): Promise<Provider[]> {
  return db.query<Provider>(sql`select ${COLUMNS} from providers p where p.kind = ${kind} and p.enabled order by p.id`);
}

/** Locks the provider against every other change, and against new people coming through it. */
export function lockProvider(tx: Queryable, name: string): Promise<Provider | undefined> {
  return tx.first<Provider>(sql`select ${COLUMNS} from providers p where p.name = ${name} for update`);
}

export async function updateProvider(tx: Queryable, id: number, change: Change): Promise<Provider> {
  const row = await tx.first<Provider>(sql`
    update providers p set title = ${change.title}, enabled = ${change.enabled},
      settings = ${JSON.stringify(change.settings)}, version = version + 1, updated_at = now()
    where id = ${id} returning ${COLUMNS}`);
  return row!;
}

export async function setSecret(tx: Queryable, id: number, secretId: number | null): Promise<void> {
  await tx.query(sql`update providers set secret_id = ${secretId} where id = ${id}`);
}

export async function deleteProvider(tx: Queryable, id: number): Promise<void> {
  await tx.query(sql`delete from providers where id = ${id}`);
}
